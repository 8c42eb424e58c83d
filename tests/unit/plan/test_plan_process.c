#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static const struct plan_process *build(struct plan_fixture *fixture, const char *members)
{
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .process = members });
	return &fixture->plan->process;
}

Test(plan_process, plain_members)
{
	PLAN_FIXTURE(fixture);
	const struct plan_process *process = build(
		&fixture,
		",'env':['A=1','AB=1','A=2','B=','A=3','AB=2'],'terminal':true,'consoleSize':{'height':25,'width':80},'noNewPrivileges':true");

	cr_expect(fixture.plan->has_process);
	cr_expect_str_eq(process->argv[0], "sh");
	cr_expect_null(process->argv[1]);
	cr_expect_str_eq(process->envp[0], "B=");
	cr_expect_str_eq(process->envp[1], "A=3", "of a name that is there more than once the last counts");
	cr_expect_str_eq(process->envp[2], "AB=2");
	cr_expect_null(process->envp[3]);
	cr_expect_str_eq(process->cwd, "/");
	cr_expect(process->terminal);
	cr_expect_eq(process->rows, 25);
	cr_expect_eq(process->columns, 80);
	cr_expect(process->no_new_privileges);
	cr_expect(process->new_keyring);
	cr_expect_not(process->set_umask);
	cr_expect_not(process->set_oom_score_adj);
}

Test(plan_process, may_be_left_out)
{
	struct spec_namespace mount = { CLONE_NEWNS, NULL };
	struct spec spec = { .root.path = "r",
			     .oci_version = "1.0.0",
			     .linux_ = { .namespaces = &mount, .n_namespaces = 1 } };
	PLAN_FIXTURE(fixture);

	fixture.request.spec = &spec;
	fixture.request.host = &fixture.host;
	cr_assert_eq(plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err), 0, "%s",
		     fixture.err.message);
	cr_expect_not(fixture.plan->has_process);
}

Test(plan_process, request_says_what_config_cannot)
{
	PLAN_FIXTURE(fixture);

	fixture.request.no_new_keyring = true;
	fixture.request.preserve_fds = 2;
	fixture.request.listen_fds = 3;
	build(&fixture, ",'env':['A=1']");
	cr_expect_not(fixture.plan->process.new_keyring);
	cr_expect_eq(fixture.plan->process.preserve_fds, 5);
	cr_expect_str_eq(fixture.plan->process.envp[1], "LISTEN_FDS=3");
	cr_expect_str_eq(fixture.plan->process.envp[2], "LISTEN_PID=1");
	cr_expect_null(fixture.plan->process.envp[3]);
}

Test(plan_process, scheduling)
{
	PLAN_FIXTURE(fixture);
	const struct plan_process *process;

	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){ .process = ",'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':4},"
								  "'scheduler':{'policy':'SCHED_BATCH','nice':5}",
						       .linux_ = ",'personality':{'domain':'LINUX32'}" });
	process = &fixture.plan->process;
	cr_expect_eq(process->io_priority, 2 << 13 | 4);
	cr_expect(process->scheduler.set);
	cr_expect_eq(process->scheduler.policy, SCHED_BATCH);
	cr_expect_eq(process->scheduler.nice, 5);
	cr_expect(process->set_personality);
	cr_expect_eq(process->personality, 8);
}

Test(plan_process, memory_policy)
{
	PLAN_FIXTURE(fixture);
	const struct plan_memory_policy *policy;

	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .linux_ = ",'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-2,64',"
						      "'flags':['MPOL_F_STATIC_NODES','MPOL_F_NUMA_BALANCING']}" });
	policy = &fixture.plan->process.memory_policy;
	cr_expect(policy->set);
	cr_expect_eq(policy->mode, 2);
	cr_expect_eq(policy->flags, 1 << 15 | 1 << 13);
	cr_expect_eq(policy->nodes.n_words, 2);
	cr_expect_eq(policy->nodes.bits[0], 7);
	cr_expect_eq(policy->nodes.bits[1], 1);
	cr_expect_str_eq(policy->nodes.text, "0-2,64");
}

/* config.md: "not applicable to the container's init process" */
Test(plan_process, processors_are_an_execs)
{
	PLAN_FIXTURE(fixture);

	build(&fixture, ",'execCPUAffinity':{'initial':'0','final':'1'}");
	cr_expect_eq(fixture.plan->process.first_cpus.n_words, 0);
	cr_expect_eq(fixture.plan->process.final_cpus.n_words, 0);
}

Test(plan_process, user_and_groups)
{
	struct plan_fixture_json json = { .namespaces = PLAN_FIXTURE_USER, .linux_ = PLAN_FIXTURE_MAPS };
	PLAN_FIXTURE(fixture);

	cr_expect_eq(build(&fixture, ",'oomScoreAdj':0")->n_groups, 0);
	plan_fixture_done(&fixture);
	json.process = ",'rlimits':[]";
	plan_fixture_good(&fixture, &json);
}

/* The document of the fixture has the user already: spec and all are put together by hand. */
static void expect_user(const struct spec_user *user, bool small_map, const char *words)
{
	const struct spec_id_mapping one = { 0, 1000, 1 }, many = { 0, 100000, 1000 };
	const struct spec_namespace namespaces[] = { { CLONE_NEWNS, NULL }, { CLONE_NEWUSER, NULL } };
	const char *const args[] = { "sh" };
	const struct spec_process process = { .user = *user, .args = args, .n_args = 1, .cwd = "/" };
	struct spec spec = { .root.path = "r", .oci_version = "1.0.0", .process = &process };
	PLAN_FIXTURE(fixture);

	spec.linux_ = (struct spec_linux){ .namespaces = namespaces,
					   .n_namespaces = 2,
					   .uid_mappings = small_map ? &one : &many,
					   .n_uid_mappings = 1,
					   .gid_mappings = small_map ? &one : &many,
					   .n_gid_mappings = 1 };
	if (small_map)
		fixture.host = (struct host){ .euid = 1000, .egid = 1000, .last_capability = 40 };
	fixture.request.spec = &spec;
	fixture.request.host = &fixture.host;
	fixture.rc = plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err);
	if (words) {
		cr_assert_lt(fixture.rc, 0, "planned, though expected: %s", words);
		cr_expect_not_null(strstr(fixture.err.message, words), "expected \"%s\" in: %s", words,
				   fixture.err.message);
		return;
	}
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect_eq(fixture.plan->process.uid, user->uid);
	cr_expect_eq(fixture.plan->process.gid, user->gid);
	cr_expect_eq(fixture.plan->process.n_groups, user->n_additional_gids);
	cr_expect_eq(fixture.plan->process.set_umask, user->umask.set);
}

Test(plan_process, ids_have_to_be_mapped)
{
	static const uint32_t good[] = { 0, 999 }, bad[] = { 0, 1000 };
	const struct {
		struct spec_user user;
		bool small_map;
		const char *words;
	} cases[] = {
		{ { .uid = 999, .gid = 999, .additional_gids = good, .n_additional_gids = 2, .umask = { true, 022 } },
		  false,
		  NULL },
		{ { .uid = 1000 }, false, "process.user.uid: 1000 is not mapped" },
		{ { .gid = 1000 }, false, "process.user.gid: 1000 is not mapped" },
		{ { .additional_gids = bad, .n_additional_gids = 2 },
		  false,
		  "process.user.additionalGids: 1000 is not mapped" },
		{ { .uid = UINT32_MAX }, false, "process.user.uid: 4294967295 is no id" },
		{ { .gid = UINT32_MAX }, false, "process.user.gid: 4294967295 is no id" },
		{ { .uid = 0 }, true, NULL },
		{ { .additional_gids = good, .n_additional_gids = 1 }, true, "forbids setgroups" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_user(&cases[i].user, cases[i].small_map, cases[i].words);
}

/* ---- what takes CAP_SYS_RESOURCE ---- */

static void without_sys_resource(struct plan_fixture *fixture)
{
	fixture->host.capabilities &= ~BIT(CAP_SYS_RESOURCE);
}

Test(plan_process, oom_score)
{
	static const struct {
		int own;
		const char *asked;
		bool privileged, in_user_namespace, set;
		int applied;
	} cases[] = {
		{ 0, "500", true, false, true, 500 },	  { 0, "-500", true, false, true, -500 },
		{ 0, "-500", false, false, false, 0 },	  { 0, "0", false, false, true, 0 },
		{ 200, "100", false, false, false, 200 }, { 200, "300", false, false, true, 300 },
		{ 0, "-1", true, true, false, 0 },
	};
	char json[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		fixture.host.oom_score_adj = cases[i].own;
		fixture.host.in_user_namespace = cases[i].in_user_namespace;
		if (!cases[i].privileged)
			without_sys_resource(&fixture);
		snprintf(json, sizeof(json), ",'oomScoreAdj':%s", cases[i].asked);
		build(&fixture, json);
		cr_expect_eq(fixture.plan->process.set_oom_score_adj, cases[i].set, "%d %s", cases[i].own,
			     cases[i].asked);
		cr_expect_eq(fixture.plan->process.oom_score_adj, cases[i].applied, "%d %s", cases[i].own,
			     cases[i].asked);
		cr_expect_eq(plan_fixture_has_line(&fixture, "oom-score-lower"), !cases[i].set);
	}
}

Test(plan_rlimits, hard_limits_that_cannot_be_raised_are_lowered)
{
	static const struct {
		const char *asked;
		uint64_t soft, hard;
		bool lowered;
	} cases[] = {
		{ "'soft':10,'hard':100", 10, 100, false },
		{ "'soft':1000,'hard':1000", 1000, 1000, false },
		{ "'soft':10,'hard':1001", 10, 1000, true },
		{ "'soft':5000,'hard':6000", 1000, 1000, true },
		{ "'soft':18446744073709551615,'hard':18446744073709551615", 1000, 1000, true },
	};
	char json[160];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		without_sys_resource(&fixture);
		fixture.host.rlimit_hard[RLIMIT_NOFILE] = 1000;
		snprintf(json, sizeof(json), ",'rlimits':[{'type':'RLIMIT_NOFILE',%s}]", cases[i].asked);
		build(&fixture, json);
		cr_assert_eq(fixture.plan->process.n_rlimits, 1);
		cr_expect_eq(fixture.plan->process.rlimits[0].resource, RLIMIT_NOFILE);
		cr_expect_eq(fixture.plan->process.rlimits[0].soft, cases[i].soft);
		cr_expect_eq(fixture.plan->process.rlimits[0].hard, cases[i].hard);
		cr_expect_not(fixture.plan->process.rlimits[0].by_parent);
		cr_expect_eq(plan_fixture_has_line(&fixture, "rlimit-raise"), cases[i].lowered);
		if (cases[i].lowered)
			cr_expect_str_eq(plan_fixture_line(&fixture, "rlimit-raise")->where,
					 "process.rlimits[0] (RLIMIT_NOFILE)");
	}
}

/* The child has no right over the host's limits from inside its own user namespace. */
Test(plan_rlimits, parent_raises_those_of_a_user_namespace)
{
	PLAN_FIXTURE(fixture);

	fixture.host.rlimit_hard[RLIMIT_NOFILE] = 1000;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .process = ",'rlimits':[{'type':'RLIMIT_NOFILE','soft':2000,'hard':2000},"
						       "{'type':'RLIMIT_CORE','soft':0,'hard':0}]",
					    .namespaces = PLAN_FIXTURE_USER,
					    .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect(fixture.plan->process.rlimits[0].by_parent);
	cr_expect_eq(fixture.plan->process.rlimits[0].hard, 2000);
	cr_expect_not(fixture.plan->process.rlimits[1].by_parent);
}

/* ---- capabilities ---- */

Test(plan_capabilities, without_the_object_there_are_none)
{
	PLAN_FIXTURE(fixture);
	const struct plan_capabilities *sets = &build(&fixture, "")->capabilities;

	cr_expect_eq(sets->bounding | sets->permitted | sets->effective | sets->inheritable | sets->ambient, 0);
}

Test(plan_capabilities, sets_are_copied)
{
	PLAN_FIXTURE(fixture);
	const struct plan_capabilities *sets =
		&build(&fixture,
		       ",'capabilities':{'bounding':['CAP_KILL','CAP_CHOWN','CAP_KILL'],'permitted':['CAP_KILL','CAP_CHOWN'],"
		       "'effective':['CAP_KILL'],'inheritable':['CAP_CHOWN'],'ambient':['CAP_CHOWN']}")
			 ->capabilities;

	cr_expect_eq(sets->bounding, BIT(CAP_KILL) | BIT(CAP_CHOWN));
	cr_expect_eq(sets->permitted, BIT(CAP_KILL) | BIT(CAP_CHOWN));
	cr_expect_eq(sets->effective, BIT(CAP_KILL));
	cr_expect_eq(sets->inheritable, BIT(CAP_CHOWN));
	cr_expect_eq(sets->ambient, BIT(CAP_CHOWN));
	cr_expect_eq(fixture.report.n_lines, 0);
}

Test(plan_capabilities, what_cannot_be_granted_is_a_warning)
{
	static const struct {
		const char *sets, *rule, *where, *asked;
	} cases[] = {
		{ "'bounding':['CAP_FOO','CAP_KILL']", "capability-unknown", "process.capabilities.bounding", "CAP_FOO" },
		{ "'permitted':['CAP_CHECKPOINT_RESTORE']", "capability-unknown", "process.capabilities.permitted",
		  "CAP_CHECKPOINT_RESTORE" },
		{ "'bounding':['CAP_NET_RAW','CAP_KILL','CAP_NET_RAW']", "capability-withheld",
		  "process.capabilities.bounding", "CAP_NET_RAW" },
		{ "'permitted':['CAP_SYS_TIME','CAP_KILL']", "capability-withheld", "process.capabilities.permitted",
		  "CAP_SYS_TIME" },
		{ "'effective':['CAP_KILL']", "capability-withheld", "process.capabilities.effective", "CAP_KILL" },
		{ "'permitted':['CAP_KILL'],'ambient':['CAP_KILL','CAP_CHOWN']", "capability-withheld",
		  "process.capabilities.ambient", "CAP_CHOWN" },
	};
	char json[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct report_line *line;

		fixture.host.last_capability = 39;
		fixture.host.capability_bounding &= ~BIT(CAP_NET_RAW);
		fixture.host.capabilities &= ~BIT(CAP_SYS_TIME);
		snprintf(json, sizeof(json), ",'capabilities':{%s}", cases[i].sets);
		build(&fixture, json);
		line = plan_fixture_line(&fixture, cases[i].rule);
		cr_expect_eq(line->level, REPORT_WARNING);
		cr_expect_str_eq(line->where, cases[i].where);
		cr_expect_str_eq(line->asked, cases[i].asked);
		cr_expect_eq(fixture.plan->process.capabilities.effective | fixture.plan->process.capabilities.ambient,
			     0);
		cr_expect_eq(fixture.plan->process.capabilities.bounding & ~BIT(CAP_KILL), 0);
		cr_expect_eq(fixture.plan->process.capabilities.permitted & ~BIT(CAP_KILL), 0);
	}
}

/* user_namespaces(7): its first process has them all, whatever the maker had. */
Test(plan_capabilities, user_namespace_has_its_own)
{
	PLAN_FIXTURE(fixture);

	fixture.host.capabilities = fixture.host.capability_bounding = 0;
	plan_fixture_good(&fixture,
			  &(struct plan_fixture_json){
				  .process = ",'capabilities':{'bounding':['CAP_SYS_ADMIN'],'permitted':['CAP_SYS_ADMIN']}",
				  .namespaces = PLAN_FIXTURE_USER,
				  .linux_ = PLAN_FIXTURE_MAPS });
	cr_expect_eq(fixture.plan->process.capabilities.bounding, BIT(CAP_SYS_ADMIN));
	cr_expect_eq(fixture.plan->process.capabilities.permitted, BIT(CAP_SYS_ADMIN));
}

Test(plan_capabilities, thousands_of_unknown_names_stay_cheap)
{
	const char *names[20000];
	const char *const args[] = { "sh" };
	struct spec_namespace mount = { CLONE_NEWNS, NULL };
	struct spec_capabilities sets = { .bounding = names, .n_bounding = 20000 };
	struct spec_process process = { .args = args, .n_args = 1, .cwd = "/", .capabilities = &sets };
	struct spec spec = { .root.path = "r",
			     .oci_version = "1.0.0",
			     .process = &process,
			     .linux_ = { .namespaces = &mount, .n_namespaces = 1 } };
	PLAN_FIXTURE(fixture);

	for (size_t i = 0; i < 20000; i++)
		names[i] = "CAP_OF_A_NAME_THAT_IS_FAR_LONGER_THAN_ANY_THAT_THE_KERNEL_HAS_FOR_ITS_OWN";
	fixture.request.spec = &spec;
	fixture.request.host = &fixture.host;
	cr_expect_eq(plan_build(&fixture.request, &fixture.plan, &fixture.report, &fixture.err), 0, "%s",
		     fixture.err.message);
}

/* ---- security modules ---- */

Test(plan_process, apparmor)
{
	PLAN_FIXTURE(with);
	PLAN_FIXTURE(without);

	with.host.apparmor = true;
	cr_expect_str_eq(build(&with, ",'apparmorProfile':'box'")->apparmor_profile, "box");
	cr_expect_null(build(&without, ",'apparmorProfile':'unconfined'")->apparmor_profile);
	plan_fixture_refused(&(struct plan_fixture_json){ .process = ",'apparmorProfile':'box'" }, ERROR_UNSUPPORTED,
			     "process.apparmorProfile: \"box\"");
}

/* Engines write it, and no kernel ever granted it: not worth a line on the standard error of each build step. */
Test(plan_process, ambient_without_inheritable_is_a_remark_alone)
{
	PLAN_FIXTURE(fixture);
	const struct report_line *line;

	build(&fixture, ",'capabilities':{'bounding':['CAP_KILL'],'permitted':['CAP_KILL'],'ambient':['CAP_KILL']}");
	line = plan_fixture_line(&fixture, "capability-inert");
	cr_expect_eq(line->level, REPORT_NOTE);
	cr_expect_str_eq(line->asked, "CAP_KILL");
	cr_expect_eq(fixture.plan->process.capabilities.ambient, 0);
	cr_expect_eq(fixture.report.n_lines, 1);
}

Test(plan_process, selinux)
{
	struct plan_fixture_json json = { .process = ",'selinuxLabel':'a:b:c:s0'", .linux_ = ",'mountLabel':'d:e:f:s0'" };
	PLAN_FIXTURE(with);
	PLAN_FIXTURE(without);

	with.host.selinux = true;
	plan_fixture_good(&with, &json);
	cr_expect_str_eq(with.plan->process.selinux_label, "a:b:c:s0");
	cr_expect_str_eq(with.plan->rootfs.mount_label, "d:e:f:s0");
	cr_expect_not(plan_fixture_has_line(&with, "selinux-missing"));
	plan_fixture_good(&without, &json);
	cr_expect_null(without.plan->process.selinux_label);
	cr_expect_null(without.plan->rootfs.mount_label);
	cr_expect_eq(without.report.n_lines, 2);
	cr_expect_eq(plan_fixture_line(&without, "selinux-missing")->level, REPORT_WARNING);
}
