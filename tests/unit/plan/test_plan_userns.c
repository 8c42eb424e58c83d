/* The user namespace that the floor gives, and the rules about namespaces. */
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan_fixture.h"

#define EXT4 0xEF53
#define NFS 0x6969
#define TMPFS 0x01021994
#define PROC 0x9fa0

#define FIRST 1879048192u

static const struct host_source good = { .known = true, .mode = S_IFDIR | 0755, .file_system = EXT4, .mappable = true };
static const struct host_source nfs = { .known = true, .mode = S_IFDIR | 0755, .file_system = NFS };

struct case_ {
	struct plan_fixture fixture;
	struct policy policy;
};

/* The rules that this is about at adjust, all others off; a range is granted. */
static void begin(struct case_ *test)
{
	static const enum policy_rule rules[] = { POLICY_USER_NAMESPACE, POLICY_ROOTFS_UNMAPPED, POLICY_VOLUME_UNMAPPED };
	struct error err;

	*test = (struct case_){ .fixture = plan_fixture_new() };
	cr_assert_eq(policy_load("conformant", &test->policy, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		test->policy.levels[rules[i]] = POLICY_ADJUST;
	test->fixture.request.policy = &test->policy;
	test->fixture.request.root_source = good;
	test->fixture.request.ids = (struct host_ids){ .granted = true, .first = FIRST, .size = 65536 };
}

static void end(struct case_ *test)
{
	plan_fixture_done(&test->fixture);
	policy_done(&test->policy);
}

static const struct plan_fixture_json volume = {
	.mounts = "{'destination':'/data','type':'bind','source':'/srv/data','options':['rbind']}"
};

Test(plan_userns, a_range_that_is_granted_is_the_map_of_everything)
{
	struct case_ test;
	const struct plan *plan;
	const struct report_line *line;

	begin(&test);
	test.fixture.request.sources = &good;
	plan_fixture_good(&test.fixture, &volume);
	plan = test.fixture.plan;
	cr_expect(plan->namespaces.create & CLONE_NEWUSER);
	cr_assert_eq(plan->namespaces.uids.n_ranges, 1);
	cr_expect_eq(plan->namespaces.uids.ranges[0].inside, 0);
	cr_expect_eq(plan->namespaces.uids.ranges[0].outside, FIRST);
	cr_expect_eq(plan->namespaces.gids.ranges[0].count, 65536);
	cr_expect(plan->rootfs.idmap);
	cr_expect(plan->rootfs.locked, "its root must not own the mounts");
	cr_expect(plan->rootfs.mounts[0].idmap_by_floor && plan->rootfs.mounts[0].idmap_recursive);
	cr_expect_not(plan->namespaces.deny_setgroups);
	line = plan_fixture_line(&test.fixture, "user-namespace");
	cr_expect_eq(line->level, REPORT_ADJUSTED);
	cr_expect_not_null(strstr(line->applied, "1879048192 to 1879113727"), "%s", line->applied);
	end(&test);
}

Test(plan_userns, a_user_beyond_the_range_is_refused)
{
	const struct plan_fixture_json json = { 0 };
	struct spec_process process;
	struct case_ test;

	begin(&test);
	test.fixture.request.ids.size = 100;
	plan_fixture_parse(&test.fixture, &json);
	process = *test.fixture.spec->process;
	process.user.uid = 100;
	cr_expect_lt(plan_build_exec(&test.fixture.request, &process, &test.fixture.plan, &test.fixture.report,
				     &test.fixture.err),
		     0);
	cr_expect_not_null(strstr(test.fixture.err.message, "process.user.uid: 100"), "%s", test.fixture.err.message);
	end(&test);
}

Test(plan_userns, a_pod_s_namespace_is_joined_before_all_others)
{
	const struct plan_fixture_json json = { .namespaces = ",{'type':'ipc','path':'/proc/7/ns/ipc'}" };
	struct case_ test;
	const struct plan_namespaces *namespaces;

	begin(&test);
	test.fixture.request.ids.join = "/proc/self/fd/9";
	plan_fixture_good(&test.fixture, &json);
	namespaces = &test.fixture.plan->namespaces;
	cr_expect_not(namespaces->create & CLONE_NEWUSER);
	cr_assert_eq(namespaces->n_join, 2);
	cr_expect_eq(namespaces->join[0].flag, CLONE_NEWUSER);
	cr_expect_str_eq(namespaces->join[0].path, "/proc/self/fd/9");
	cr_expect_eq(namespaces->join[1].flag, CLONE_NEWIPC);
	cr_expect_eq(namespaces->uids.ranges[0].outside, FIRST, "stdio and devices go by the maps");
	end(&test);
}

/* ---- sources that can't be mapped ---- */

struct unmapped {
	enum policy_level level;
	bool refused, has_userns;
	int line; /* an enum report_level, or -1 */
};

ParameterizedTestParameters(plan_userns, roots)
{
	static struct unmapped cases[] = {
		{ POLICY_ENFORCE, true, false, -1 },
		{ POLICY_ADJUST, false, false, REPORT_ADJUSTED },
		{ POLICY_WARN, false, false, REPORT_WARNING },
		{ POLICY_OFF, false, false, -1 },
	};

	return cr_make_param_array(struct unmapped, cases, ARRAY_SIZE(cases));
}

static void expect(struct case_ *test, const struct unmapped *wanted, const char *rule, const char *where)
{
	struct plan_fixture *fixture = &test->fixture;

	cr_assert_eq(fixture->rc < 0, wanted->refused, "%s", fixture->err.message);
	if (wanted->refused) {
		cr_expect_eq(fixture->err.kind, ERROR_REFUSED);
		cr_expect_not_null(strstr(fixture->err.message, rule), "%s", fixture->err.message);
		cr_expect_eq(strncmp(fixture->err.message, where, strlen(where)), 0, "%s", fixture->err.message);
		return;
	}
	cr_expect_eq((fixture->plan->namespaces.create & CLONE_NEWUSER) != 0, wanted->has_userns);
	cr_expect_eq(fixture->plan->rootfs.idmap, wanted->has_userns);
	cr_expect_eq(plan_fixture_has_line(fixture, rule), wanted->line >= 0);
	if (wanted->line >= 0)
		cr_expect_eq((int)plan_fixture_line(fixture, rule)->level, wanted->line);
}

ParameterizedTest(struct unmapped *wanted, plan_userns, roots)
{
	const struct plan_fixture_json json = { 0 };
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_ROOTFS_UNMAPPED] = wanted->level;
	test.fixture.request.root_source.mappable = false;
	plan_fixture_build(&test.fixture, &json);
	expect(&test, wanted, "rootfs-unmapped", "root.path: asked for rootfs");
	end(&test);
}

ParameterizedTestParameters(plan_userns, volumes)
{
	static struct unmapped cases[] = {
		{ POLICY_ENFORCE, true, false, -1 },
		{ POLICY_ADJUST, false, false, REPORT_ADJUSTED },
		{ POLICY_WARN, false, true, REPORT_WARNING },
		{ POLICY_OFF, false, true, -1 },
	};

	return cr_make_param_array(struct unmapped, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct unmapped *wanted, plan_userns, volumes)
{
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_VOLUME_UNMAPPED] = wanted->level;
	test.fixture.request.sources = &nfs;
	plan_fixture_build(&test.fixture, &volume);
	expect(&test, wanted, "volume-unmapped", "mounts[0]: asked for /srv/data");
	if (test.fixture.plan)
		cr_expect_not(test.fixture.plan->rootfs.mounts[0].idmap);
	end(&test);
}

struct source_case {
	struct host_source source;
	bool refused, mapped;
};

ParameterizedTestParameters(plan_userns, sources)
{
	static struct source_case cases[] = {
		{ { .known = true, .mode = S_IFDIR | 0700, .file_system = EXT4, .mappable = true }, false, true },
		{ { .known = true, .mode = S_IFSOCK | 0600, .file_system = EXT4, .mappable = true }, false, true },
		{ { .known = false }, false, true },
		{ { .known = true, .mode = S_IFCHR | 0666, .file_system = TMPFS }, false, false },
		{ { .known = true, .mode = S_IFBLK | 0600, .file_system = TMPFS, .mappable = true }, false, false },
		{ { .known = true, .mode = S_IFDIR | 0555, .file_system = PROC }, false, false },
		{ { .known = true, .mode = S_IFREG | 0644, .file_system = NFS }, false, false },
		{ { .known = true, .mode = S_IFREG | 0600, .file_system = NFS }, true, false },
		{ { .known = true, .mode = S_IFDIR | 01777, .file_system = TMPFS }, false, false },
		{ { .known = true, .mode = S_IFDIR | 0755, .file_system = TMPFS }, true, false },
		{ { .known = true, .mode = S_IFDIR | 0777, .file_system = NFS }, true, false },
	};

	return cr_make_param_array(struct source_case, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct source_case *wanted, plan_userns, sources)
{
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_VOLUME_UNMAPPED] = POLICY_ENFORCE;
	test.fixture.request.sources = &wanted->source;
	plan_fixture_build(&test.fixture, &volume);
	cr_expect_eq(test.fixture.rc < 0, wanted->refused, "%s", test.fixture.err.message);
	if (test.fixture.plan)
		cr_expect_eq(test.fixture.plan->rootfs.mounts[0].idmap, wanted->mapped);
	end(&test);
}

/* ---- is it wanted? ---- */

struct wanted {
	enum policy_level level, volumes;
	bool root_mappable, volume_mappable, privileged;
	bool joins_another, wanted;
};

ParameterizedTestParameters(plan_userns, wishes)
{
	static struct wanted cases[] = {
		{ POLICY_ADJUST, POLICY_ENFORCE, true, true, true, false, true },
		{ POLICY_OFF, POLICY_ENFORCE, true, true, true, false, false },
		{ POLICY_ENFORCE, POLICY_ENFORCE, true, true, true, false, false },
		{ POLICY_ADJUST, POLICY_ENFORCE, false, true, true, false, false },
		{ POLICY_ADJUST, POLICY_ADJUST, true, false, true, false, false },
		{ POLICY_ADJUST, POLICY_OFF, true, false, true, false, true },
		{ POLICY_ADJUST, POLICY_ENFORCE, true, true, false, false, false },
		{ POLICY_ADJUST, POLICY_ENFORCE, true, true, true, true, false },
	};

	return cr_make_param_array(struct wanted, cases, ARRAY_SIZE(cases));
}

ParameterizedTest(struct wanted *wanted, plan_userns, wishes)
{
	struct plan_fixture_json json = volume;
	struct case_ test;
	bool found = !wanted->wanted;

	begin(&test);
	test.policy.levels[POLICY_USER_NAMESPACE] = wanted->level;
	test.policy.levels[POLICY_VOLUME_UNMAPPED] = wanted->volumes;
	test.fixture.request.root_source.mappable = wanted->root_mappable;
	test.fixture.request.sources = wanted->volume_mappable ? &good : &nfs;
	json.namespaces = wanted->joins_another ? ",{'type':'user','path':'/proc/7/ns/user'}" : NULL;
	plan_fixture_parse(&test.fixture, &json);
	if (!wanted->privileged)
		test.fixture.host.capabilities = 0;
	cr_expect_eq(plan_userns_is_wanted(&test.fixture.request, &found, &test.fixture.err), 0);
	cr_expect_eq(found, wanted->wanted);
	end(&test);
}

/* ---- the rule itself ---- */

Test(plan_userns, where_none_is_granted_the_report_says_why)
{
	const struct plan_fixture_json json = { 0 };
	struct case_ test;

	begin(&test);
	test.fixture.request.ids.granted = false;
	test.fixture.host.in_user_namespace = true;
	plan_fixture_good(&test.fixture, &json);
	cr_expect_not(test.fixture.plan->namespaces.create & CLONE_NEWUSER);
	cr_expect_not_null(strstr(plan_fixture_line(&test.fixture, "user-namespace")->why, "not the host's"));
	end(&test);
}

Test(plan_userns, maps_onto_the_host_s_users_are_refused_at_each_level_but_off)
{
	const struct plan_fixture_json json = {
		.namespaces = PLAN_FIXTURE_USER,
		.linux_ = ",'uidMappings':[{'containerID':0,'hostID':100000,'size':10}]"
			  ",'gidMappings':[{'containerID':0,'hostID':100000,'size':10},{'containerID':10,'hostID':1000,'size':1}]"
	};
	static const enum policy_level refusing[] = { POLICY_ADJUST, POLICY_ENFORCE };
	struct case_ test;

	for (size_t i = 0; i < ARRAY_SIZE(refusing); i++) {
		begin(&test);
		test.policy.levels[POLICY_USER_NAMESPACE] = refusing[i];
		plan_fixture_build(&test.fixture, &json);
		cr_expect_eq(test.fixture.err.kind, ERROR_REFUSED);
		cr_expect_not_null(strstr(test.fixture.err.message, "linux.gidMappings: asked for hostID 1000"), "%s",
				   test.fixture.err.message);
		end(&test);
	}
	begin(&test);
	test.policy.levels[POLICY_USER_NAMESPACE] = POLICY_OFF;
	plan_fixture_good(&test.fixture, &json);
	cr_expect_eq(test.fixture.plan->namespaces.uids.ranges[0].outside, 100000);
	end(&test);
}

Test(plan_userns, maps_onto_what_other_containers_are_given_are_refused)
{
	const struct plan_fixture_json json = {
		.namespaces = PLAN_FIXTURE_USER,
		.linux_ = ",'uidMappings':[{'containerID':0,'hostID':1879048000,'size':193}]"
			  ",'gidMappings':[{'containerID':0,'hostID':1879048000,'size':192}]"
	};
	struct case_ test;

	begin(&test);
	plan_fixture_build(&test.fixture, &json);
	cr_expect_eq(test.fixture.err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(test.fixture.err.message, "linux.uidMappings: asked for hostID 1879048000"), "%s",
			   test.fixture.err.message);
	end(&test);
}

Test(plan_userns, an_exec_has_what_create_gave_whatever_the_policy_says_now)
{
	static const enum policy_level levels[] = { POLICY_OFF, POLICY_ADJUST, POLICY_ENFORCE };
	const struct plan_fixture_json json = { 0 };
	struct case_ test;

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		begin(&test);
		test.policy.levels[POLICY_USER_NAMESPACE] = levels[i];
		test.fixture.request.root_source.mappable = false;
		test.fixture.request.added_namespaces = CLONE_NEWCGROUP;
		plan_fixture_parse(&test.fixture, &json);
		cr_assert_eq(plan_build_exec(&test.fixture.request, test.fixture.spec->process, &test.fixture.plan,
					     &test.fixture.report, &test.fixture.err),
			     0, "%s", test.fixture.err.message);
		cr_expect(test.fixture.plan->namespaces.enter & CLONE_NEWUSER);
		cr_expect(test.fixture.plan->namespaces.enter & CLONE_NEWCGROUP);
		cr_expect_eq(test.fixture.plan->namespaces.uids.ranges[0].outside, FIRST);
		cr_expect_not(plan_fixture_has_line(&test.fixture, "user-namespace"));
		end(&test);
	}
}

Test(plan_userns, maps_of_a_mount_are_moved_into_the_range)
{
	const struct plan_fixture_json json = {
		.mounts = "{'destination':'/d','type':'bind','source':'/d','options':['bind'],"
			  "'uidMappings':[{'containerID':1000,'hostID':5,'size':1}],"
			  "'gidMappings':[{'containerID':1000,'hostID':65535,'size':1}]}"
	};
	struct case_ test;

	begin(&test);
	plan_fixture_good(&test.fixture, &json);
	cr_expect_eq(test.fixture.plan->rootfs.mounts[0].uids.ranges[0].outside, FIRST + 5);
	cr_expect_eq(test.fixture.plan->rootfs.mounts[0].gids.ranges[0].outside, FIRST + 65535);
	cr_expect_not(test.fixture.plan->rootfs.mounts[0].idmap_by_floor);
	end(&test);
	begin(&test);
	test.fixture.request.ids.size = 65535;
	plan_fixture_build(&test.fixture, &json);
	cr_expect_eq(test.fixture.err.kind, ERROR_REFUSED);
	end(&test);
}

/* ---- network ---- */

Test(plan_userns, what_its_root_has_no_say_in_the_parent_sets)
{
	const struct plan_fixture_json json = {
		.namespaces = ",{'type':'network','path':'/run/netns/x'},{'type':'ipc'}",
		.linux_ = ",'sysctl':{'net.core.somaxconn':'1','kernel.shmmni':'2','net.ipv4.ip_forward':'3'}"
	};
	struct case_ test;
	const struct plan *plan;

	begin(&test);
	plan_fixture_good(&test.fixture, &json);
	plan = test.fixture.plan;
	cr_assert_eq(plan->n_sysctls, 1);
	cr_expect_str_eq(plan->sysctls[0].name, "kernel/shmmni");
	cr_assert_eq(plan->n_parent_sysctls, 2);
	cr_expect_str_eq(plan->parent_sysctls[0].name, "net/core/somaxconn");
	cr_expect_str_eq(plan->parent_sysctls[1].name, "net/ipv4/ip_forward");
	cr_expect(plan->namespaces.low_ports);
	end(&test);
	begin(&test);
	test.policy.levels[POLICY_USER_NAMESPACE] = POLICY_OFF;
	test.fixture.request.ids.granted = false;
	plan_fixture_good(&test.fixture, &json);
	cr_expect_eq(test.fixture.plan->n_sysctls, 3);
	cr_expect_eq(test.fixture.plan->n_parent_sysctls, 0);
	cr_expect_not(test.fixture.plan->namespaces.low_ports);
	end(&test);
}

Test(plan_userns, low_ports_without_the_capability)
{
	const struct plan_fixture_json json = { .namespaces = ",{'type':'network'}",
						.linux_ = ",'sysctl':{'net.ipv4.ip_unprivileged_port_start':'80'}" };
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_USER_NAMESPACE] = POLICY_OFF;
	test.fixture.request.ids.granted = false;
	test.policy.levels[POLICY_CAPABILITY] = POLICY_ADJUST;
	plan_fixture_good(&test.fixture, &json);
	cr_assert_eq(test.fixture.plan->n_sysctls, 2);
	cr_expect_str_eq(test.fixture.plan->sysctls[0].value, "80", "what config.json says comes first");
	cr_expect_str_eq(test.fixture.plan->sysctls[1].name, "net/ipv4/ping_group_range");
	end(&test);
}

/* ---- the other namespaces ---- */

Test(plan_userns, the_host_s_namespaces_are_refused_or_replaced)
{
	static const struct {
		const char *others, *name;
		uint64_t flag;
	} kinds[] = {
		{ ",{'type':'network'},{'type':'ipc'},{'type':'uts'}", "pid", CLONE_NEWPID },
		{ ",{'type':'pid'},{'type':'ipc'},{'type':'uts'}", "network", CLONE_NEWNET },
		{ ",{'type':'pid'},{'type':'network'},{'type':'uts'}", "ipc", CLONE_NEWIPC },
		{ ",{'type':'pid'},{'type':'network'},{'type':'ipc'}", "uts", CLONE_NEWUTS },
	};
	struct case_ test;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct plan_fixture_json json = { .namespaces = kinds[i].others };

		begin(&test);
		test.policy.levels[POLICY_HOST_NAMESPACE] = POLICY_ENFORCE;
		plan_fixture_build(&test.fixture, &json);
		cr_expect_eq(test.fixture.err.kind, ERROR_REFUSED, "%s", kinds[i].name);
		cr_expect_not_null(strstr(test.fixture.err.message, kinds[i].name), "%s", test.fixture.err.message);
		end(&test);
		begin(&test);
		test.policy.levels[POLICY_HOST_NAMESPACE] = POLICY_ADJUST;
		plan_fixture_good(&test.fixture, &json);
		cr_expect(test.fixture.plan->namespaces.create & kinds[i].flag, "%s", kinds[i].name);
		cr_expect(test.fixture.plan->namespaces.added & kinds[i].flag, "%s", kinds[i].name);
		cr_expect(test.fixture.plan->namespaces.create & CLONE_NEWTIME, "no refusal over it, but a new one");
		plan_fixture_line(&test.fixture, "host-namespace");
		end(&test);
		begin(&test);
		plan_fixture_good(&test.fixture, &json);
		cr_expect_not(test.fixture.plan->namespaces.create & kinds[i].flag, "%s", kinds[i].name);
		cr_expect_eq(test.fixture.plan->namespaces.added, 0);
		end(&test);
	}
}

Test(plan_userns, a_path_must_not_be_the_host_s_own)
{
	const struct plan_fixture_json json = {
		.namespaces = ",{'type':'pid'},{'type':'network','path':'/run/netns/x'},{'type':'ipc'},{'type':'uts'}"
	};
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_HOST_NAMESPACE] = POLICY_ENFORCE;
	plan_fixture_good(&test.fixture, &json);
	cr_assert_eq(test.fixture.plan->namespaces.n_join, 1);
	cr_expect(test.fixture.plan->namespaces.join[0].not_the_hosts);
	end(&test);
	begin(&test);
	plan_fixture_good(&test.fixture, &json);
	cr_expect_not(test.fixture.plan->namespaces.join[0].not_the_hosts);
	end(&test);
}

Test(plan_userns, a_cgroup_namespace_is_added)
{
	const struct plan_fixture_json json = { 0 };
	struct case_ test;

	begin(&test);
	test.policy.levels[POLICY_CGROUP_NAMESPACE] = POLICY_ADJUST;
	plan_fixture_good(&test.fixture, &json);
	cr_expect(test.fixture.plan->namespaces.create & CLONE_NEWCGROUP);
	cr_expect_eq(plan_fixture_line(&test.fixture, "cgroup-namespace")->level, REPORT_ADJUSTED);
	end(&test);
}
