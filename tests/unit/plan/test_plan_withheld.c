/* What the host withholds, at each level of the policy's rules. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include <criterion/criterion.h>

#include "plan_fixture.h"

/* A document that runs into the rule on the host of host_without(). */
struct rule_case {
	enum policy_rule rule;
	struct plan_fixture_json json;
	const char *words; /* of the refusal */
};

static const struct rule_case cases[] = {
	{ POLICY_RLIMIT_RAISE,
	  { .process = ",'rlimits':[{'type':'RLIMIT_NOFILE','soft':10,'hard':2000}]" },
	  "process.rlimits[0] (RLIMIT_NOFILE): asked for soft 10, hard 2000, but raising a hard limit takes CAP_SYS_RESOURCE" },
	{ POLICY_OOM_SCORE_LOWER,
	  { .process = ",'oomScoreAdj':-500" },
	  "process.oomScoreAdj: asked for -500, but going below" },
	{ POLICY_CAPABILITY_WITHHELD,
	  { .process = ",'capabilities':{'bounding':['CAP_SYS_RESOURCE']}" },
	  "process.capabilities.bounding: asked for CAP_SYS_RESOURCE, but it is not in the runtime's own bounding set" },
	{ POLICY_CAPABILITY_UNKNOWN,
	  { .process = ",'capabilities':{'bounding':['CAP_NEW']}" },
	  "process.capabilities.bounding: asked for CAP_NEW, but this kernel" },
	{ POLICY_SELINUX_MISSING,
	  { .process = ",'selinuxLabel':'a:b:c:d'" },
	  "process.selinuxLabel: asked for a:b:c:d, but this host has no SELinux" },
	{ POLICY_SELINUX_MISSING,
	  { .linux_ = ",'mountLabel':'a:b:c:d'" },
	  "linux.mountLabel: asked for a:b:c:d, but this host has no SELinux" },
	{ POLICY_CGROUP_DISABLED,
	  { .linux_ = ",'resources':{'pids':{'limit':5}}" },
	  "linux.resources: asked for limits, but limits take a cgroup" },
};

static void host_without(struct plan_fixture *fixture)
{
	fixture->host.capabilities &= ~(UINT64_C(1) << CAP_SYS_RESOURCE);
	fixture->host.capability_bounding = fixture->host.capabilities;
	fixture->host.rlimit_hard[RLIMIT_NOFILE] = 1000;
	fixture->request.cgroup_manager = PLAN_CGROUP_DISABLED;
}

static struct policy with_level(enum policy_rule rule, enum policy_level level)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	policy.levels[rule] = level;
	return policy;
}

static void build(struct plan_fixture *fixture, const struct policy *policy, const struct plan_fixture_json *json)
{
	host_without(fixture);
	fixture->request.policy = policy;
	plan_fixture_build(fixture, json);
}

#define FOR_EACH_CASE(x) for (const struct rule_case *x = cases; x < cases + sizeof(cases) / sizeof(cases[0]); x++)

Test(plan_withheld, warn_and_adjust_go_on_and_report)
{
	static const struct {
		enum policy_level level;
		enum report_level reported;
	} levels[] = { { POLICY_WARN, REPORT_WARNING }, { POLICY_ADJUST, REPORT_ADJUSTED } };

	FOR_EACH_CASE(x)
	{
		for (size_t i = 0; i < 2; i++) {
			struct policy policy = with_level(x->rule, levels[i].level);
			PLAN_FIXTURE(fixture);

			build(&fixture, &policy, &x->json);
			cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
			cr_expect_eq(plan_fixture_line(&fixture, policy_rule_name(x->rule))->level, levels[i].reported);
		}
	}
}

Test(plan_withheld, under_conformant_it_is_a_warning)
{
	FOR_EACH_CASE(x)
	{
		PLAN_FIXTURE(fixture);

		build(&fixture, fixture.request.policy, &x->json);
		cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
		cr_expect_eq(plan_fixture_line(&fixture, policy_rule_name(x->rule))->level, REPORT_WARNING);
	}
}

Test(plan_withheld, off_goes_on_without_a_word)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_OFF);
		PLAN_FIXTURE(fixture);

		build(&fixture, &policy, &x->json);
		cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
		cr_expect_not(plan_fixture_has_line(&fixture, policy_rule_name(x->rule)));
	}
}

Test(plan_withheld, enforce_refuses_and_says_what_to_do)
{
	FOR_EACH_CASE(x)
	{
		struct policy policy = with_level(x->rule, POLICY_ENFORCE);
		PLAN_FIXTURE(fixture);

		build(&fixture, &policy, &x->json);
		cr_expect_eq(fixture.rc, -EPERM, "%s", x->words);
		cr_expect_eq(fixture.err.kind, ERROR_REFUSED);
		cr_expect_null(fixture.plan);
		cr_expect_eq(fixture.report.n_lines, 0);
		cr_expect_eq(strncmp(fixture.err.message, x->words, strlen(x->words)), 0, "%s", fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, policy_rule_name(x->rule)), "%s", fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, policy_rule_remedy(x->rule)), "%s", fixture.err.message);
		cr_expect_not_null(strstr(fixture.err.message, "policy conformant"), "%s", fixture.err.message);
	}
}

/* A rule holds only where something is withheld. */
Test(plan_withheld, enforce_takes_what_can_be_given)
{
	struct policy policy = { 0 };
	struct error err = { 0 };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	for (size_t i = 0; i < POLICY_FLOOR_FIRST; i++)
		policy.levels[i] = POLICY_ENFORCE;
	fixture.request.policy = &policy;
	fixture.host.selinux = true;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){
					    .process = ",'rlimits':[{'type':'RLIMIT_NOFILE','soft':10,'hard':2000}],"
						       "'oomScoreAdj':-500,'selinuxLabel':'a:b:c:d',"
						       "'capabilities':{'bounding':['CAP_SYS_RESOURCE']}",
					    .linux_ = ",'resources':{'pids':{'limit':5}}" });
	for (size_t i = 0; i < POLICY_N_RULES; i++)
		cr_expect_not(plan_fixture_has_line(&fixture, policy_rule_name(i)));
}

Test(plan_withheld, exec_is_held_to_it_as_well)
{
	struct policy policy = with_level(POLICY_OOM_SCORE_LOWER, POLICY_ENFORCE);
	struct spec_process process = { .oom_score_adj = { true, -500 } };
	PLAN_FIXTURE(fixture);

	plan_fixture_parse(&fixture, &(struct plan_fixture_json){ 0 });
	host_without(&fixture);
	fixture.request.policy = &policy;
	process.args = fixture.spec->process->args;
	process.n_args = fixture.spec->process->n_args;
	cr_expect_eq(plan_build_exec(&fixture.request, &process, &fixture.plan, &fixture.report, &fixture.err), -EPERM);
	cr_expect_eq(fixture.err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(fixture.err.message, "oom-score-lower"), "%s", fixture.err.message);
}

Test(plan_withheld, a_long_request_does_not_push_the_remedy_out)
{
	struct policy policy = with_level(POLICY_SELINUX_MISSING, POLICY_ENFORCE);
	char json[3100] = ",'selinuxLabel':'";
	PLAN_FIXTURE(fixture);

	memset(json + strlen(json), 'x', 3000);
	strcat(json, "'");
	build(&fixture, &policy, &(struct plan_fixture_json){ .process = json });
	cr_expect_eq(fixture.rc, -EPERM);
	cr_expect_not_null(strstr(fixture.err.message, "set to \"warn\""), "%s", fixture.err.message);
}

Test(plan_withheld, the_plan_names_each_rule_with_its_level)
{
	struct policy policy = with_level(POLICY_RLIMIT_RAISE, POLICY_ENFORCE);
	PLAN_FIXTURE(fixture);

	fixture.request.policy = &policy;
	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_assert_eq(fixture.plan->n_rules, POLICY_N_RULES);
	for (size_t i = 0; i < POLICY_N_RULES; i++) {
		cr_expect_str_eq(fixture.plan->rules[i].name, policy_rule_name(i));
		cr_expect_str_eq(fixture.plan->rules[i].value, i == POLICY_RLIMIT_RAISE ? "enforce"
							       : i < POLICY_FLOOR_FIRST ? "warn"
											: "off");
	}
}
