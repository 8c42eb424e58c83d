/* Ways around the rules about the kernel's own file systems and the host's places: a second procfs, one that can be written to, a root
 * file system that can't be seen or is the host's programs, a user namespace of somebody else's. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan_fixture.h"
#include "policy/policy.h"

#define AUTO_POLICY __attribute__((cleanup(policy_done)))
#define FULL_ROOT                                                                                                 \
	(struct host_source)                                                                                      \
	{                                                                                                         \
		.known = true, .device = 7, .inode = 42, .mode = S_IFDIR | 0755, .file_system = EXT4_SUPER_MAGIC, \
		.real = "/bundle/rootfs"                                                                          \
	}

static struct policy policy_with(const char *rule, const char *level)
{
	struct policy policy = { 0 };
	struct error err = { 0 };
	char text[128];
	int n = snprintf(text, sizeof(text), "{\"set\":\"conformant\",\"rules\":{\"%s\":\"%s\"}}", rule, level);

	cr_assert_eq(policy_parse(text, (size_t)n, &policy, &err), 0, "%s: %s", text, err.message);
	return policy;
}

static void expect_refused(const struct plan_fixture *fixture, const char *words)
{
	cr_expect_eq(fixture->rc, -EPERM, "planned, though expected: %s", words);
	cr_expect_not_null(strstr(fixture->err.message, words), "expected \"%s\" in: %s", words, fixture->err.message);
}

Test(plan_places, a_second_procfs_or_sysfs_would_have_no_masks)
{
	static const struct {
		const char *mount, *words; /* NULL: it is let in */
	} cases[] = {
		{ "{'destination':'/proc','type':'proc','source':'proc'}", NULL },
		{ "{'destination':'proc/.','type':'proc','source':'proc'}", NULL },
		{ "{'destination':'/sys/','type':'sysfs','source':'sysfs'}", NULL },
		{ "{'destination':'/proc2','type':'proc','source':'proc'}", "elsewhere than at /proc" },
		{ "{'destination':'/sys','type':'proc','source':'proc'}", "elsewhere than at /proc" },
		{ "{'destination':'/a/proc','type':'proc','source':'proc','options':['ro']}", "elsewhere than at /proc" },
		{ "{'destination':'/a','type':'sysfs','source':'sysfs','options':['ro']}", "elsewhere than at /sys" },
		{ "{'destination':'/sys/kernel','type':'sysfs','source':'sysfs'}", "elsewhere than at /sys" },
	};
	AUTO_POLICY struct policy policy = policy_with("mount-source", "enforce");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		fixture.request.root_source = FULL_ROOT;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ .mounts = cases[i].mount });
		if (cases[i].words)
			expect_refused(&fixture, cases[i].words);
		else
			cr_expect_eq(fixture.rc, 0, "%s: %s", cases[i].mount, fixture.err.message);
	}
}

#define SYSFS "{'destination':'/sys','type':'sysfs','source':'sysfs','options':['%s']}"
#define CGROUP "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['%s']}"

Test(plan_places, sysfs_is_read_only_and_so_is_the_cgroup_without_a_user_namespace)
{
	static const struct {
		const char *mount, *option, *namespaces, *maps;
		bool adjusted;
	} cases[] = {
		{ SYSFS, "rw", "", "", true },
		{ SYSFS, "ro", "", "", false },
		{ SYSFS, "rw", PLAN_FIXTURE_USER, PLAN_FIXTURE_MAPS, true },
		{ CGROUP, "rw", "", "", true },
		{ CGROUP, "ro", "", "", false },
		{ CGROUP, "rw", PLAN_FIXTURE_USER, PLAN_FIXTURE_MAPS, false },
	};
	AUTO_POLICY struct policy policy = policy_with("masked-path", "adjust");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);
		char mount[128], namespaces[128];
		bool found = false;

		snprintf(mount, sizeof(mount), cases[i].mount, cases[i].option);
		snprintf(namespaces, sizeof(namespaces), ",{'type':'network'},{'type':'cgroup'}%s", cases[i].namespaces);
		fixture.request.policy = &policy;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){
						    .mounts = mount, .namespaces = namespaces, .linux_ = cases[i].maps });
		for (size_t k = 0; k < fixture.report.n_lines; k++)
			found |= strcmp(fixture.report.lines[k].where, "mounts[0].options") == 0;
		cr_expect_eq(found, cases[i].adjusted, "%zu: %s", i, mount);
		cr_expect_eq(!!(fixture.plan->rootfs.mounts[0].attr_set & MOUNT_ATTR_RDONLY),
			     cases[i].adjusted || strcmp(cases[i].option, "ro") == 0, "%zu: %s", i, mount);
		cr_expect_not(fixture.plan->rootfs.mounts[0].attr_clear & MOUNT_ATTR_RDONLY);
	}
}

/* /proc/self/root is the host's "/": what can't be looked at is never opened. */
Test(plan_places, a_root_that_could_not_be_seen_is_noted_and_never_let_in)
{
	AUTO_POLICY struct policy policy = policy_with("mount-source", "enforce");

	for (int at_path = 0; at_path < 2; at_path++) {
		PLAN_FIXTURE(fixture);

		fixture.request.policy = &policy;
		fixture.request.root_is_at_path = at_path;
		plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
		cr_expect_eq(fixture.plan->rootfs.source_checked, at_path);
		cr_expect_eq(fixture.plan->rootfs.source_inode, 0);
		cr_expect_eq(plan_fixture_has_line(&fixture, "mount-source"), at_path);
	}
}

Test(plan_places, a_root_that_can_be_written_to_is_none_of_the_hosts_programs)
{
	static const struct {
		const char *real;
		bool readonly;
		const char *words;
	} cases[] = {
		{ "/usr", false, "programs of the host" },
		{ "/opt", false, "programs of the host" },
		{ "/opt/tree", false, "programs of the host" },
		{ "/bundle/rootfs", false, NULL },
		{ "/usr", true, NULL },
	};
	AUTO_POLICY struct policy policy = policy_with("mount-source", "enforce");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);

		plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
		fixture.spec->root.readonly = cases[i].readonly;
		fixture.request.policy = &policy;
		fixture.request.root_is_at_path = true;
		fixture.request.root_source = FULL_ROOT;
		fixture.request.root_source.real = cases[i].real;
		fixture.rc = plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err);
		if (cases[i].words)
			expect_refused(&fixture, cases[i].words);
		else
			cr_expect_eq(fixture.rc, 0, "%s: %s", cases[i].real, fixture.err.message);
	}
}

Test(plan_places, where_the_hosts_root_reads_programs_and_settings)
{
	static const char *const places[] = {
		"/root/.ssh",	      "/root/.bashrc",	 "/var/spool/cron/crontabs",
		"/var/lib/dpkg/info", "/var/backups",	 "/var/lib/cloud/seed",
		"/sysroot",	      "/sysroot/ostree", "/var/spool",
		"/nix/store",
	};
	AUTO_POLICY struct policy policy = policy_with("mount-source", "enforce");

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = FULL_ROOT;

		source.real = places[i];
		fixture.request.policy = &policy;
		fixture.request.sources = &source;
		plan_fixture_build(&fixture,
				   &(struct plan_fixture_json){
					   .mounts = "{'destination':'/a','source':'/asked','options':['rbind']}" });
		cr_expect_eq(fixture.rc, -EPERM, "%s is let in", places[i]);
	}
}

/* What it maps is not known before it is opened: join.c. */
Test(plan_places, a_user_namespace_that_is_joined_must_have_none_of_the_hosts_users)
{
	static const struct {
		const char *level;
		bool in_user_namespace;
		uint32_t least;
	} cases[] = {
		{ "adjust", false, 65536 }, { "enforce", false, 65536 }, { "warn", false, 0 },
		{ "off", false, 0 },	    { "adjust", true, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_POLICY struct policy policy = policy_with("user-namespace", cases[i].level);
		PLAN_FIXTURE(fixture);
		const struct plan_namespaces *namespaces;

		fixture.request.policy = &policy;
		fixture.host.in_user_namespace = cases[i].in_user_namespace;
		plan_fixture_good(&fixture,
				  &(struct plan_fixture_json){
					  .namespaces = ",{'type':'user','path':'/u'},{'type':'uts','path':'/n'}" });
		namespaces = &fixture.plan->namespaces;
		cr_assert_eq(namespaces->n_join, 2);
		for (size_t k = 0; k < 2; k++)
			cr_expect_eq(namespaces->join[k].least_id,
				     namespaces->join[k].flag == CLONE_NEWUSER ? cases[i].least : 0, "%zu", i);
	}
}

/* One that only the other engine would write is the pod's own word: it opens nothing of a sandbox that is somebody else's. */
Test(plan_places, a_sandbox_that_is_claimed_twice_is_nobodys)
{
	static const struct {
		const char *containerd, *crio, *real;
		bool let_in;
	} cases[] = {
		{ "mine", "other", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/other/shm", false },
		{ "mine", "other", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/mine/shm", false },
		{ "other", "mine", "/run/containers/storage/overlay-containers/other/userdata/shm", false },
		{ "mine", "mine", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/mine/shm", true },
		{ "mine", "", "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/mine/shm", true },
		{ "", "mine", "/run/containers/storage/overlay-containers/mine/userdata/shm", true },
	};
	AUTO_POLICY struct policy policy = policy_with("mount-source", "enforce");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		PLAN_FIXTURE(fixture);
		struct host_source source = FULL_ROOT;
		char top[160];

		snprintf(top, sizeof(top),
			 ",'annotations':{'io.kubernetes.cri.sandbox-id':'%s','io.kubernetes.cri-o.SandboxID':'%s'}",
			 cases[i].containerd, cases[i].crio);
		source.real = cases[i].real;
		fixture.request.policy = &policy;
		fixture.request.sources = &source;
		plan_fixture_build(&fixture,
				   &(struct plan_fixture_json){
					   .top = top,
					   .mounts = "{'destination':'/a','source':'/asked','options':['rbind']}" });
		cr_expect_eq(fixture.rc, cases[i].let_in ? 0 : -EPERM, "%zu: %s", i, fixture.err.message);
	}
}

/* brig connects to it as root, and whoever writes config.json says where. */
Test(plan_places, a_listener_is_a_socket_that_the_policy_lists)
{
	static const struct {
		const char *level, *path, *words; /* NULL: it is let in */
		bool held;
	} cases[] = {
		{ "enforce", "/run/containerd/containerd.sock", "linux.seccomp.listenerPath: asked for /run/containerd",
		  true },
		{ "adjust", "/run/containerd/containerd.sock", "linux.seccomp.listenerPath: asked for /run/containerd",
		  true },
		{ "enforce", "/srv/agents/../docker.sock", "in \"mount_sources\"", true },
		{ "enforce", "/srv/agentsx", "in \"mount_sources\"", true },
		{ "enforce", "/srv/agents/one.sock", NULL, true },
		{ "adjust", "/srv/agents/a/../one.sock", NULL, true },
		{ "warn", "/run/containerd/containerd.sock", NULL, false },
		{ "off", "/run/containerd/containerd.sock", NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_POLICY struct policy policy = policy_with("mount-source", cases[i].level);
		static const char *const listed[] = { "/srv/agents" };
		PLAN_FIXTURE(fixture);
		char filter[256];

		snprintf(filter, sizeof(filter),
			 ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'%s',"
			 "'syscalls':[{'names':['bpf'],'action':'SCMP_ACT_NOTIFY'}]}",
			 cases[i].path);
		policy.mount_sources = (struct policy_strings){ listed, 1 };
		fixture.request.policy = &policy;
		fixture.request.root_source = FULL_ROOT;
		plan_fixture_build(&fixture, &(struct plan_fixture_json){ .linux_ = filter });
		if (cases[i].words) {
			expect_refused(&fixture, cases[i].words);
			continue;
		}
		cr_assert_eq(fixture.rc, 0, "%zu: %s", i, fixture.err.message);
		cr_expect_eq(fixture.plan->seccomp.listener_held, cases[i].held, "%zu", i);
		cr_expect_eq(plan_fixture_has_line(&fixture, "mount-source"), strcmp(cases[i].level, "warn") == 0,
			     "%zu", i);
	}
}
