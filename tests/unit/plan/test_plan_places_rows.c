/* Each place of the rule mount-source by itself, as docs/mounts.md has them: what is nobody's but the host's, and what no pod would start
 * without. A row that is missing in brig fails here. */
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"
#include "policy/policy.h"

#define PATH_TEXT_MAX 256

static struct policy enforcing(void)
{
	static const char text[] = "{\"set\":\"conformant\",\"rules\":{\"mount-source\":\"enforce\"}}";
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), &policy, &err), 0, "%s", err.message);
	return policy;
}

static struct host_source directory_at(const char *real)
{
	return (struct host_source){
		.known = true, .device = 7, .inode = 42, .mode = S_IFDIR | 0755, .file_system = EXT4_SUPER_MAGIC, .real = real
	};
}

/* The container is "box", in the sandbox "pod1" of the pod "11-22". "" where it is let in. */
static const char *judged(const char *real, const char *options, bool shares_ipc)
{
	static char message[sizeof(((struct error *)NULL)->message)];
	AUTO(policy_done) struct policy policy = enforcing();
	PLAN_FIXTURE(fixture);
	struct host_source source = directory_at(real);
	char mount[PATH_TEXT_MAX];

	snprintf(mount, sizeof(mount), "{'destination':'/a','source':'/asked','options':['rbind'%s]}", options);
	fixture.request.policy = &policy;
	fixture.request.sources = &source;
	plan_fixture_build(&fixture, &(struct plan_fixture_json){
					     .mounts = mount,
					     .namespaces = shares_ipc ? ",{'type':'ipc','path':'/proc/5/ns/ipc'}" : NULL,
					     .top = ",'annotations':{'io.kubernetes.cri.sandbox-uid':'11-22',"
						    "'io.kubernetes.cri.sandbox-id':'pod1'}" });
	cr_assert(fixture.rc == 0 || fixture.rc == -EPERM, "%s: %s", real, fixture.err.message);
	memcpy(message, fixture.err.message, sizeof(message));
	return message;
}

static bool is_root_let_in(const char *real)
{
	AUTO(policy_done) struct policy policy = enforcing();
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	fixture.request.root_source = directory_at(real);
	plan_fixture_build(&fixture, &(struct plan_fixture_json){ 0 });
	return fixture.rc == 0;
}

static const struct {
	const char *path;
	bool has_roots; /* engines, or somebody who builds one, have root file systems in there */
} trees[] = {
	{ "/boot", false },
	{ "/dev", false },
	{ "/etc", false },
	{ "/proc", false },
	{ "/sys", false },
	{ "/run", true },
	{ "/var/run", true },
	{ "/var/lib/kubelet", false },
	{ "/var/lib/k0s", true },
	{ "/var/lib/rancher", true },
	{ "/var/snap/microk8s", true },
	{ "/var/lib/etcd", false },
	{ "/var/lib/cni", false },
	{ "/var/lib/containerd", true },
	{ "/var/lib/nerdctl", true },
	{ "/var/lib/containers", true },
	{ "/var/lib/crio", true },
	{ "/var/lib/docker", true },
	{ "/var/log/pods", false },
	{ "/var/log/containers", false },
	{ "/var/lib/systemd", false },
	{ "/var/lib/cloud", false },
	{ "/var/lib/dpkg", false },
	{ "/var/lib/rpm", false },
	{ "/var/spool/cron", false },
	{ "/var/spool/at", false },
	{ "/var/spool/anacron", false },
	{ "/var/backups", false },
	{ "/sysroot", true },
	{ "/ostree", true },
};

Test(plan_places_rows, nobodys_but_the_hosts)
{
	char path[PATH_TEXT_MAX], words[PATH_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		snprintf(words, sizeof(words), "it is %s, ", trees[i].path);
		cr_expect_not_null(strstr(judged(trees[i].path, ",'ro'", false), words), "%s: %s", trees[i].path,
				   judged(trees[i].path, ",'ro'", false));
		snprintf(path, sizeof(path), "%s/any", trees[i].path);
		snprintf(words, sizeof(words), "it lies in %s, ", trees[i].path);
		cr_expect_not_null(strstr(judged(path, ",'ro'", false), words), "%s: %s", path,
				   judged(path, ",'ro'", false));
		cr_expect_eq(is_root_let_in(path), trees[i].has_roots, "%s", path);
		/* What only begins with the same letters. */
		snprintf(path, sizeof(path), "%s-other", trees[i].path);
		cr_expect_str_eq(judged(path, "", false), "", "%s", path);
	}
}

static const char *const commons[] = { "/home", "/root", "/tmp", "/var/tmp" };

Test(plan_places_rows, everybodys_is_nobodys_as_a_whole)
{
	char path[PATH_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(commons); i++) {
		cr_expect_str_neq(judged(commons[i], ",'ro'", false), "", "%s", commons[i]);
		snprintf(path, sizeof(path), "%s/project", commons[i]);
		cr_expect_str_eq(judged(path, "", false), "", "%s", path);
	}
	cr_expect_str_neq(judged("/root/.ssh", ",'ro'", false), "");
}

static const char *const programs[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/opt" };
static const char *const readable[] = { "/etc/localtime",	"/etc/timezone",      "/etc/ssl/certs",
					"/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted" };

static void expect_read_only(const char *path)
{
	cr_expect_str_eq(judged(path, ",'ro'", false), "", "%s", path);
	cr_expect_str_neq(judged(path, "", false), "", "%s", path);
}

Test(plan_places_rows, read_only_or_not_at_all)
{
	char path[PATH_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		expect_read_only(programs[i]);
		snprintf(path, sizeof(path), "%s/any", programs[i]);
		expect_read_only(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		expect_read_only(readable[i]);
}

/* "$" is the pod, "%" the container or its sandbox. */
static const char *const owned[] = {
	"/var/lib/kubelet/pods/$/volumes/kubernetes.io~secret/key",
	"/var/lib/kubelet/pods/$/volume-subpaths/conf/main/0",
	"/var/lib/kubelet/pods/$/etc-hosts",
	"/var/lib/kubelet/pods/$/containers/main/0a1b2c3d",
	"/var/lib/k0s/kubelet/pods/$/volumes/kubernetes.io~secret/key",
	"/var/lib/k0s/kubelet/pods/$/volume-subpaths/conf/main/0",
	"/var/lib/k0s/kubelet/pods/$/etc-hosts",
	"/var/lib/k0s/kubelet/pods/$/containers/main/0a1b2c3d",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/volumes/kubernetes.io~secret/key",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/volume-subpaths/conf/main/0",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/etc-hosts",
	"/var/snap/microk8s/common/var/lib/kubelet/pods/$/containers/main/0a1b2c3d",
	"/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/%/hosts",
	"/var/lib/containerd/io.containerd.grpc.v1.cri/containers/%/volumes/0abc",
	"/run/containerd/io.containerd.grpc.v1.cri/sandboxes/%/shm",
	"/run/containerd/io.containerd.grpc.v1.cri/image-volumes/%/sha",
	"/var/lib/rancher/rke2/agent/containerd/io.containerd.grpc.v1.cri/sandboxes/%/hosts",
	"/var/lib/rancher/k3s/agent/containerd/io.containerd.grpc.v1.cri/containers/%/volumes/0abc",
	"/run/k3s/containerd/io.containerd.grpc.v1.cri/sandboxes/%/shm",
	"/run/k3s/containerd/io.containerd.grpc.v1.cri/image-volumes/%/sha",
	"/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/%/hosts",
	"/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/containers/%/volumes/0abc",
	"/run/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/%/shm",
	"/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/%/hosts",
	"/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/containers/%/volumes/0abc",
	"/var/snap/microk8s/common/run/containerd/io.containerd.grpc.v1.cri/sandboxes/%/shm",
	"/var/lib/nerdctl/1935db59/containers/default/%/resolv.conf",
	"/var/lib/nerdctl/1935db59/etchosts/default/%/hosts",
	"/run/containers/storage/overlay-containers/%/userdata/run/secrets",
	"/var/lib/containers/storage/overlay-containers/%/userdata/hosts",
	"/run/user/1000/containers/overlay-containers/%/userdata/run/secrets",
	"/var/lib/docker/containers/%/mounts/secrets",
	"/var/lib/docker/165536.165536/containers/%/resolv.conf",
	"/var/lib/docker/165536.165536/containers/%/hostname",
	"/var/lib/docker/165536.165536/containers/%/hosts",
	"/var/lib/docker/165536.165536/containers/%/mounts/shm",
};

/* Nobody's in particular: volumes that an engine made, and what `--network container:NAME` hands over. */
static const char *const anybodys[] = {
	"/var/lib/nerdctl/1935db59/volumes/default/data/_data",
	"/var/lib/containers/storage/volumes/data/_data",
	"/run/crio/image-volumes/sha",
	"/run/containers/storage/overlay-containers/other/userdata/resolv.conf",
	"/run/containers/storage/overlay-containers/other/userdata/hosts",
	"/run/containers/storage/overlay-containers/other/userdata/hostname",
	"/run/user/1000/containers/overlay-containers/other/userdata/resolv.conf",
	"/run/user/1000/containers/overlay-containers/other/userdata/hosts",
	"/run/user/1000/containers/overlay-containers/other/userdata/hostname",
	"/var/lib/docker/containers/other/resolv.conf",
	"/var/lib/docker/containers/other/hostname",
	"/var/lib/docker/containers/other/hosts",
	"/var/lib/docker/volumes/data/_data",
	"/var/lib/docker/165536.165536/volumes/data/_data",
};

static const char *filled_in(const char *pattern, const char *pod, const char *id)
{
	static char path[PATH_TEXT_MAX];
	size_t length = strcspn(pattern, "$%");

	snprintf(path, sizeof(path), "%.*s%s%s", (int)length, pattern, pattern[length] == '$' ? pod : id,
		 pattern + length + 1);
	return path;
}

Test(plan_places_rows, its_own_and_nobody_elses)
{
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		cr_expect_str_eq(judged(filled_in(owned[i], "11-22", "pod1"), "", false), "", "%s", owned[i]);
		cr_expect_str_eq(judged(filled_in(owned[i], "11-22", "box"), "", false), "", "%s", owned[i]);
		cr_expect_str_neq(judged(filled_in(owned[i], "33-44", "pod2"), "", false), "", "%s", owned[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(anybodys); i++)
		cr_expect_str_eq(judged(anybodys[i], "", false), "", "%s", anybodys[i]);
}

static const char *const memories[] = {
	"/var/lib/containers/storage/overlay-containers/other/userdata/shm",
	"/run/containers/storage/overlay-containers/other/userdata/shm",
	"/run/user/1000/containers/overlay-containers/other/userdata/shm",
	"/var/lib/docker/containers/other/mounts/shm",
};

Test(plan_places_rows, another_ones_memory_where_its_ipc_namespace_is_joined)
{
	for (size_t i = 0; i < ARRAY_SIZE(memories); i++) {
		cr_expect_str_eq(judged(memories[i], "", true), "", "%s", memories[i]);
		cr_expect_str_neq(judged(memories[i], "", false), "", "%s", memories[i]);
	}
}
