/* Where mounts may come from: each kind that is refused, and each that has to be let in or no pod would start. */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"
#include "policy/policy.h"

static const char sources_only[] = "{\"set\":\"conformant\",\"rules\":{\"mount-source\":\"%s\",\"device\":\"%s\"}%s}";

static struct policy policy_of(const char *level, const char *more)
{
	struct policy policy = { 0 };
	struct error err = { 0 };
	char text[512];
	int n = snprintf(text, sizeof(text), sources_only, level, level, more);

	cr_assert_eq(policy_parse(text, (size_t)n, &policy, &err), 0, "%s: %s", text, err.message);
	return policy;
}

#define POLICY(name, ...) AUTO_POLICY struct policy name = policy_of(__VA_ARGS__)
#define AUTO_POLICY __attribute__((cleanup(policy_done)))

static struct host_source directory_at(const char *real)
{
	return (struct host_source){
		.known = true, .device = 7, .inode = 42, .mode = S_IFDIR | 0755, .file_system = EXT4_SUPER_MAGIC, .real = real
	};
}

enum caller { CONTAINERD, CRIO, PLAIN };

static const char *const annotations[] = {
	[CONTAINERD] = ",'annotations':{'io.kubernetes.cri.sandbox-uid':'11-22','io.kubernetes.cri.sandbox-id':'pod1'}",
	[CRIO] = ",'annotations':{'io.kubernetes.pod.uid':'11-22','io.kubernetes.cri-o.SandboxID':'pod1'}",
	[PLAIN] = "",
};

/* One bind mount of that source at level enforce; the container is "box", its bundle "/bundle". */
static void build(struct plan_fixture *fixture, enum caller caller, const struct host_source *source, const char *options)
{
	char mount[256];

	snprintf(mount, sizeof(mount), "{'destination':'/a','source':'/asked','options':['rbind'%s]}", options);
	fixture->request.sources = source;
	plan_fixture_build(fixture, &(struct plan_fixture_json){ .mounts = mount, .top = annotations[caller] });
}

struct place {
	const char *real;
	enum caller caller;
	const char *words; /* of the refusal; NULL: it is let in */
	const char *options;
};

static const struct place places[] = {
	/* the host's own */
	{ "/", PLAIN, "contains /", "" },
	{ "/etc", PLAIN, "it is /etc", "" },
	{ "/etc/kubernetes/pki", PLAIN, "lies in /etc", "" },
	{ "/etc/brig", PLAIN, "lies in /etc", "" },
	{ "/proc", PLAIN, "it is /proc", "" },
	{ "/proc/1", PLAIN, "lies in /proc", "" },
	{ "/dev", PLAIN, "it is /dev", "" },
	{ "/dev/shm", PLAIN, "lies in /dev", "" },
	{ "/boot", PLAIN, "it is /boot", "" },
	{ "/run", PLAIN, "it is /run", "" },
	{ "/run/containerd", PLAIN, "lies in /run", "" },
	{ "/run/podman", PLAIN, "lies in /run", "" },
	{ "/run/brig", PLAIN, "it is /run/brig, brig's own state", "" },
	{ "/run/brig/other", PLAIN, "lies in brig's own state", "" },
	{ "/var", PLAIN, "contains /var", "" },
	{ "/var/lib", PLAIN, "contains /var/lib/", "" },
	{ "/var/log", PLAIN, "contains /var/log/pods", "" },
	{ "/var/log/pods/other", PLAIN, "logs of all pods", "" },
	{ "/root", PLAIN, "it is /root", "" },
	{ "/home", PLAIN, "it is /home", "" },
	{ "/tmp", PLAIN, "it is /tmp", "" },
	{ "/usr", PLAIN, "programs of the host", "" },
	{ "/usr/bin", PLAIN, "programs of the host", "" },
	/* the engines' */
	{ "/var/lib/kubelet", CONTAINERD, "it is /var/lib/kubelet", "" },
	{ "/var/lib/kubelet/device-plugins", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pod-resources", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pki", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pods", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pods/33-44/volumes/kubernetes.io~secret/key", CONTAINERD, "another pod (this one is 11-22)",
	  "" },
	{ "/var/lib/kubelet/pods/33-44/volumes/kubernetes.io~secret/key", CRIO, "another pod (this one is 11-22)", "" },
	{ "/var/lib/kubelet/pods/11-22/volumes/kubernetes.io~secret/key", PLAIN, "of no known UID", "" },
	{ "/var/lib/kubelet/pods/11-22", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pods/11-22/plugins", CONTAINERD, "kubelet's state", "" },
	{ "/var/lib/kubelet/pods/11-222/volumes/x", CONTAINERD, "another pod", "" },
	{ "/var/lib/containerd", CONTAINERD, "it is /var/lib/containerd", "" },
	{ "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs", CONTAINERD, "containerd's state",
	  "" },
	{ "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/pod2/hosts", CONTAINERD, "containerd's state", "" },
	{ "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/pod2/shm", CONTAINERD, "lies in /run", "" },
	{ "/run/containers/storage/overlay-containers/pod2/userdata/shm", CRIO, "lies in /run", "" },
	{ "/run/containers/storage/overlay-containers/pod2/userdata/secrets", PLAIN, "lies in /run", "" },
	{ "/var/lib/docker/containers/other/mounts/shm", PLAIN, "docker's state", "" },
	{ "/var/lib/docker/containers/box/config.v2.json", PLAIN, "docker's state", "" },
	{ "/var/lib/docker/overlay2/abc/diff", PLAIN, "docker's state", "" },
	{ "/var/lib/docker/volumes", PLAIN, "docker's state", "" },
	/* no pod would start without these */
	{ "/bundle/file", PLAIN, NULL, "" },
	{ "/bundle", PLAIN, NULL, "" },
	{ "/var/lib/kubelet/pods/11-22/volumes/kubernetes.io~secret/key", CONTAINERD, NULL, "" },
	{ "/var/lib/kubelet/pods/11-22/volumes/kubernetes.io~projected/token", CRIO, NULL, "" },
	{ "/var/lib/kubelet/pods/11-22/volume-subpaths/conf/main/0", CONTAINERD, NULL, "" },
	{ "/var/lib/kubelet/pods/11-22/etc-hosts", CONTAINERD, NULL, "" },
	{ "/var/lib/kubelet/pods/11-22/containers/main/0a1b2c3d", CRIO, NULL, "" },
	{ "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/pod1/resolv.conf", CONTAINERD, NULL, "" },
	{ "/var/lib/containerd/io.containerd.internal.v1.cri/sandboxes/pod1/hostname", CONTAINERD, NULL, "" },
	{ "/var/lib/containerd/io.containerd.grpc.v1.cri/containers/box/volumes/0abc", CONTAINERD, NULL, "" },
	{ "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/pod1/shm", CONTAINERD, NULL, "" },
	{ "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/pod1/sha", CONTAINERD, NULL, "" },
	{ "/var/lib/rancher/k3s/agent/containerd/io.containerd.grpc.v1.cri/sandboxes/pod1/hosts", CONTAINERD, NULL, "" },
	{ "/run/containers/storage/overlay-containers/pod1/userdata/shm", CRIO, NULL, "" },
	{ "/run/containers/storage/overlay-containers/box/userdata/resolv.conf", CRIO, NULL, "" },
	{ "/run/containers/storage/overlay-containers/box/userdata/run/secrets", PLAIN, NULL, "" },
	{ "/var/lib/containers/storage/overlay-containers/box/userdata/shm", PLAIN, NULL, "" },
	{ "/var/lib/containers/storage/volumes/data/_data", PLAIN, NULL, "" },
	{ "/run/user/1000/containers/overlay-containers/box/userdata/hosts", PLAIN, NULL, "" },
	{ "/run/containers/storage/overlay-containers/other/userdata/hosts", PLAIN, NULL, "" },
	{ "/var/lib/docker/containers/box/hostname", PLAIN, NULL, "" },
	{ "/var/lib/docker/containers/other/resolv.conf", PLAIN, NULL, "" },
	{ "/var/lib/docker/containers/box/mounts/shm", PLAIN, NULL, "" },
	{ "/var/lib/docker/volumes/data/_data", PLAIN, NULL, "" },
	{ "/var/lib/docker/165536.165536/containers/box/hosts", PLAIN, NULL, "" },
	/* anybody's */
	{ "/srv/data", PLAIN, NULL, "" },
	{ "/home/ada/project", PLAIN, NULL, "" },
	{ "/tmp/build", PLAIN, NULL, "" },
	{ "/var/log/app", PLAIN, NULL, "" },
	{ "/etcetera", PLAIN, NULL, "" },
	{ "/usr", PLAIN, NULL, ",'ro'" },
	{ "/usr/bin", PLAIN, NULL, ",'ro'" },
	{ "/usr/share/zoneinfo/UTC", PLAIN, NULL, ",'ro'" },
	{ "/etc/localtime", PLAIN, NULL, ",'ro'" },
	{ "/etc/ssl/certs", PLAIN, NULL, ",'ro'" },
	{ "/etc/ssl/certs", PLAIN, "lies in /etc", "" },
};

Test(plan_sources, places)
{
	POLICY(policy, "enforce", "");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = directory_at(places[i].real);

		fixture.request.policy = &policy;
		fixture.request.state_root = "/run/brig";
		build(&fixture, places[i].caller, &source, places[i].options);
		if (!places[i].words) {
			cr_expect_eq(fixture.rc, 0, "%s: %s", places[i].real, fixture.err.message);
			continue;
		}
		cr_expect_eq(fixture.rc, -EPERM, "%s is let in", places[i].real);
		cr_expect_not_null(strstr(fixture.err.message, places[i].words), "%s: expected \"%s\" in: %s",
				   places[i].real, places[i].words, fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, "mounts[0].source: asked for /asked (really "), "%s",
				   fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, "mount_sources"), "%s", fixture.err.message);
	}
}

Test(plan_sources, whoever_shares_the_ipc_namespace_shares_its_memory)
{
	POLICY(policy, "enforce", "");
	PLAN_FIXTURE(fixture);
	struct host_source source = directory_at("/var/lib/docker/containers/other/mounts/shm");

	fixture.request.policy = &policy;
	fixture.request.sources = &source;
	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){ .mounts = "{'destination':'/dev/shm','source':'/x','type':'bind'}",
						       .namespaces = ",{'type':'ipc','path':'/proc/5/ns/ipc'}" });
}

/* CRI-O hands a pod's own annotations on: a UID that is claimed twice is nobody's. */
Test(plan_sources, a_pod_can_not_claim_another_ones_uid)
{
	static const char *const claims[] = { "33-44", "11-22" };

	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		POLICY(policy, "enforce", "");
		PLAN_FIXTURE(fixture);
		char top[256], real[128];
		struct host_source source;

		snprintf(top, sizeof(top),
			 ",'annotations':{'io.kubernetes.cri.sandbox-uid':'33-44','io.kubernetes.pod.uid':'11-22'}");
		snprintf(real, sizeof(real), "/var/lib/kubelet/pods/%s/volumes/a/b", claims[i]);
		source = directory_at(real);
		fixture.request.policy = &policy;
		fixture.request.sources = &source;
		plan_fixture_build(&fixture,
				   &(struct plan_fixture_json){
					   .mounts = "{'destination':'/a','source':'/x','type':'bind'}", .top = top });
		cr_expect_eq(fixture.rc, -EPERM, "%s", claims[i]);
	}
}

/* By what it is, wherever it lies: a hard link to a socket, a bind of a procfs. */
Test(plan_sources, kinds)
{
	const struct {
		uint32_t mode, file_system;
		uint64_t special;
		const char *words;
	} cases[] = {
		{ S_IFSOCK | 0666, EXT4_SUPER_MAGIC, 0, "it is a socket" },
		{ S_IFDIR | 0555, PROC_SUPER_MAGIC, 0, "a procfs" },
		{ S_IFREG | 0444, SYSFS_MAGIC, 0, "a sysfs" },
		{ S_IFDIR | 0555, CGROUP_SUPER_MAGIC, 0, "a cgroup" },
		{ S_IFDIR | 0555, CGROUP2_SUPER_MAGIC, 0, "a cgroup" },
		{ S_IFDIR | 0555, DEBUGFS_MAGIC, 0, "a debugfs" },
		{ S_IFDIR | 0555, TRACEFS_MAGIC, 0, "a tracefs" },
		{ S_IFDIR | 0555, SECURITYFS_MAGIC, 0, "a securityfs" },
		{ S_IFDIR | 0555, BPF_FS_MAGIC, 0, "a bpf" },
		{ S_IFDIR | 0555, 0x62656570, 0, "a configfs" },
		{ S_IFDIR | 0555, 0xde5e81e4, 0, "an efivarfs" },
		{ S_IFREG | 0444, NSFS_MAGIC, 0, "a namespace" },
		{ S_IFDIR | 0755, DEVPTS_SUPER_MAGIC, 0, "a devpts" },
		{ S_IFBLK | 0600, EXT4_SUPER_MAGIC, makedev(8, 0), "it is a device" },
		{ S_IFCHR | 0600, TMPFS_MAGIC, makedev(1, 1), "it is a device" },
		{ S_IFBLK | 0600, TMPFS_MAGIC, makedev(1, 3), "it is a device" },
		{ S_IFCHR | 0666, TMPFS_MAGIC, makedev(1, 3), NULL },
		{ S_IFCHR | 0666, TMPFS_MAGIC, makedev(1, 9), NULL },
		{ S_IFCHR | 0666, TMPFS_MAGIC, makedev(5, 0), NULL },
		{ S_IFREG | 0644, EXT4_SUPER_MAGIC, 0, NULL },
		{ S_IFIFO | 0644, EXT4_SUPER_MAGIC, 0, NULL },
	};
	POLICY(policy, "enforce", "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = directory_at("/srv/harmless");

		source.mode = cases[i].mode;
		source.file_system = cases[i].file_system;
		source.special = cases[i].special;
		fixture.request.policy = &policy;
		build(&fixture, PLAIN, &source, "");
		cr_expect_eq(fixture.rc, cases[i].words ? -EPERM : 0, "case %zu: %s", i, fixture.err.message);
		if (cases[i].words)
			cr_expect_not_null(strstr(fixture.err.message, cases[i].words), "expected \"%s\" in: %s",
					   cases[i].words, fixture.err.message);
	}
}

Test(plan_sources, a_bind_of_a_forbidden_place_is_that_place)
{
	static const struct {
		const char *real, *alias, *below, *words;
	} cases[] = {
		{ "/mnt/x", "/etc/kubernetes", NULL, "it is /etc/kubernetes by another name, and it lies in /etc" },
		{ "/mnt/x", "/", NULL, "it is / by another name" },
		{ "/mnt/x", "/srv/data", NULL, NULL },
		{ "/srv", NULL, "/srv/chroot/proc", "at /srv/chroot/proc, below it" },
		/* The kubelet's subPath of a hostPath: a bind that it makes itself. */
		{ "/var/lib/kubelet/pods/11-22/volume-subpaths/v/c/0", "/etc/kubernetes", NULL, "by another name" },
		{ "/var/lib/kubelet/pods/11-22/volume-subpaths/v/c/0", "/var/lib/kubelet/pods/33-44/volumes/a/b", NULL,
		  "another pod" },
		{ "/var/lib/kubelet/pods/11-22/volume-subpaths/v/c/0", "/var/lib/kubelet/pods/11-22/volumes/a/b/sub",
		  NULL, NULL },
		{ "/var/lib/kubelet/pods/11-22/volumes/kubernetes.io~csi/v/mount",
		  "/var/lib/kubelet/plugins/kubernetes.io/csi/d/1/globalmount", NULL, NULL },
		{ "/var/lib/kubelet/pods/11-22/volume-subpaths/v/c/0",
		  "/var/lib/kubelet/plugins/kubernetes.io/csi/d/1/globalmount/sub", NULL, NULL },
	};
	POLICY(policy, "enforce", "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = directory_at(cases[i].real);

		source.alias = cases[i].alias;
		source.below = cases[i].below;
		fixture.request.policy = &policy;
		build(&fixture, CONTAINERD, &source, "");
		cr_expect_eq(fixture.rc, cases[i].words ? -EPERM : 0, "case %zu: %s", i, fixture.err.message);
		if (cases[i].words)
			cr_expect_not_null(strstr(fixture.err.message, cases[i].words), "expected \"%s\" in: %s",
					   cases[i].words, fixture.err.message);
	}
}

Test(plan_sources, new_file_systems_of_the_hosts_devices_are_refused)
{
	static const struct {
		const char *mount;
		bool refused;
	} cases[] = {
		{ "{'destination':'/a','type':'tmpfs','source':'tmpfs'}", false },
		{ "{'destination':'/proc','type':'proc','source':'proc'}", false },
		{ "{'destination':'/sys','type':'sysfs','source':'sysfs'}", false },
		{ "{'destination':'/dev/pts','type':'devpts','source':'devpts'}", false },
		{ "{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue'}", false },
		{ "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup'}", false },
		{ "{'destination':'/a','type':'ext4','source':'/dev/sda1'}", true },
		{ "{'destination':'/a','type':'overlay','source':'overlay','options':['lowerdir=/etc:/']}", true },
		{ "{'destination':'/a','type':'debugfs','source':'x'}", true },
		{ "{'destination':'/a','type':'bpf','source':'x'}", true },
		{ "{'destination':'/a','type':'devtmpfs','source':'x'}", true },
		{ "{'destination':'/a','type':'ext4','source':'/dev/listed'}", false },
	};
	POLICY(policy, "enforce", ",\"mount_sources\":[\"/dev/listed\"]");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ .mounts = cases[i].mount });
		cr_expect_eq(fixture.rc, cases[i].refused ? -EPERM : 0, "%s: %s", cases[i].mount, fixture.err.message);
	}
}

Test(plan_sources, what_the_policy_lists_is_let_in)
{
	static const struct {
		const char *real;
		uint32_t mode;
		int rc;
	} cases[] = {
		{ "/run/docker.sock", S_IFSOCK | 0660, 0 }, { "/etc/app", S_IFDIR | 0755, 0 },
		{ "/etc/app/below", S_IFDIR | 0755, 0 },    { "/etc/application", S_IFDIR | 0755, -EPERM },
		{ "/etc", S_IFDIR | 0755, -EPERM },	    { "/run/other.sock", S_IFSOCK | 0660, -EPERM },
	};
	POLICY(policy, "enforce", ",\"mount_sources\":[\"/var/run/docker.sock\",\"/etc/app\"]");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = directory_at(cases[i].real);

		source.mode = cases[i].mode;
		fixture.request.policy = &policy;
		build(&fixture, PLAIN, &source, "");
		cr_expect_eq(fixture.rc, cases[i].rc, "%s: %s", cases[i].real, fixture.err.message);
	}
}

Test(plan_sources, levels)
{
	static const struct {
		const char *level;
		int rc;
		size_t mounts;
		bool reported;
	} cases[] = {
		{ "off", 0, 1, false },
		{ "warn", 0, 1, true },
		{ "adjust", 0, 0, true },
		{ "enforce", -EPERM, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		POLICY(policy, cases[i].level, "");
		PLAN_FIXTURE(fixture);
		struct host_source source = directory_at("/etc");

		fixture.request.policy = &policy;
		build(&fixture, PLAIN, &source, "");
		cr_assert_eq(fixture.rc, cases[i].rc, "%s: %s", cases[i].level, fixture.err.message);
		cr_expect_eq(plan_fixture_has_line(&fixture, "mount-source"), cases[i].reported, "%s", cases[i].level);
		if (fixture.rc < 0)
			continue;
		cr_expect_eq(fixture.plan->rootfs.n_mounts, cases[i].mounts, "%s", cases[i].level);
	}
}

Test(plan_sources, a_mount_that_is_left_out_moves_no_other)
{
	POLICY(policy, "adjust", "");
	PLAN_FIXTURE(fixture);
	struct host_source sources[] = { directory_at("/etc"), directory_at("/srv/one"), directory_at("/srv/two") };

	sources[2].inode = 43;
	fixture.request.policy = &policy;
	fixture.request.sources = sources;
	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){ .mounts = "{'destination':'/a','source':'/x','type':'bind'},"
								 "{'destination':'/b','source':'/y','type':'bind'},"
								 "{'destination':'/c','source':'/z','type':'bind'}" });
	cr_assert_eq(fixture.plan->rootfs.n_mounts, 2);
	cr_expect_str_eq(fixture.plan->rootfs.mounts[0].destination, "/b");
	cr_expect_eq(fixture.plan->rootfs.mounts[0].source_inode, 42);
	cr_expect_str_eq(fixture.plan->rootfs.mounts[1].destination, "/c");
	cr_expect_eq(fixture.plan->rootfs.mounts[1].source_inode, 43);
	cr_expect_str_eq(plan_fixture_line(&fixture, "mount-source")->applied, "no such mount");
}

/* Whoever can't look may plan; the mount itself will be refused, since nothing has the identity 0. */
Test(plan_sources, what_could_not_be_seen_is_noted_and_never_let_in)
{
	static const struct host_source unknown;
	POLICY(policy, "enforce", "");
	PLAN_FIXTURE(fixture);
	const struct plan_mount *mount;

	fixture.request.policy = &policy;
	build(&fixture, PLAIN, &unknown, "");
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect_eq(plan_fixture_line(&fixture, "mount-source")->level, REPORT_NOTE);
	mount = &fixture.plan->rootfs.mounts[0];
	cr_expect(mount->source_checked);
	cr_expect_eq(mount->source_device, 0);
	cr_expect_eq(mount->source_inode, 0);
}

Test(plan_sources, the_identity_that_was_seen_goes_into_the_plan)
{
	POLICY(policy, "enforce", "");
	PLAN_FIXTURE(fixture);
	struct host_source source = directory_at("/srv/data");

	fixture.request.policy = &policy;
	build(&fixture, PLAIN, &source, "");
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect(fixture.plan->rootfs.mounts[0].source_checked);
	cr_expect_eq(fixture.plan->rootfs.mounts[0].source_device, 7);
	cr_expect_eq(fixture.plan->rootfs.mounts[0].source_inode, 42);
	cr_expect_eq(fixture.report.n_lines, 0);
}

Test(plan_sources, a_pods_own_mounts_are_not_asked_about)
{
	static const char *const options[] = { "rbind" };
	static const struct spec_mount pod[] = {
		{ .destination = "/etc/hosts",
		  .type = "bind",
		  .source = "/run/brig/pod/hosts",
		  .options = options,
		  .n_options = 1 },
	};
	POLICY(policy, "enforce", "");
	PLAN_FIXTURE(fixture);
	struct host_source source = directory_at("/srv/data");

	fixture.request.policy = &policy;
	fixture.request.shared_mounts = pod;
	fixture.request.n_shared_mounts = 1;
	build(&fixture, PLAIN, &source, "");
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect_not(fixture.plan->rootfs.mounts[1].source_checked);
	cr_expect(fixture.plan->rootfs.mounts[1].ours);
}

Test(plan_sources, root)
{
	static const struct {
		const char *real;
		uint32_t file_system;
		const char *words;
	} cases[] = {
		{ "/", EXT4_SUPER_MAGIC, "root.path: asked for /bundle/rootfs, but it contains /" },
		{ "/etc", EXT4_SUPER_MAGIC, "it is /etc" },
		{ "/var/lib/kubelet/pods/1", EXT4_SUPER_MAGIC, "kubelet" },
		{ "/srv/x", PROC_SUPER_MAGIC, "a procfs" },
		{ "/bundle/rootfs", EXT4_SUPER_MAGIC, NULL },
		{ "/run/containerd/io.containerd.runtime.v2.task/k8s.io/box/rootfs", OVERLAYFS_SUPER_MAGIC, NULL },
		{ "/var/lib/docker/overlay2/abc/merged", OVERLAYFS_SUPER_MAGIC, NULL },
		{ "/var/lib/containers/storage/overlay/abc/merged", OVERLAYFS_SUPER_MAGIC, NULL },
		{ "/home/ada/tree", EXT4_SUPER_MAGIC, NULL },
	};
	POLICY(policy, "enforce", "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		fixture.request.root_source = directory_at(cases[i].real);
		fixture.request.root_source.file_system = cases[i].file_system;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ 0 });
		cr_expect_eq(fixture.rc, cases[i].words ? -EPERM : 0, "%s: %s", cases[i].real, fixture.err.message);
		if (cases[i].words)
			cr_expect_not_null(strstr(fixture.err.message, cases[i].words), "expected \"%s\" in: %s",
					   cases[i].words, fixture.err.message);
	}
}

Test(plan_sources, a_bundle_that_contains_the_host_makes_nothing_its_own)
{
	POLICY(policy, "enforce", "");
	PLAN_FIXTURE(fixture);
	struct host_source source = directory_at("/etc/shadow");

	fixture.request.policy = &policy;
	fixture.request.bundle = "/";
	build(&fixture, PLAIN, &source, "");
	cr_expect_eq(fixture.rc, -EPERM);
}
