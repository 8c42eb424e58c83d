#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/names.h"
#include "plan_fixture.h"

static const struct plan_seccomp *build(struct plan_fixture *fixture, const char *seccomp)
{
	char json[1024];

	snprintf(json, sizeof(json), ",'seccomp':{%s}", seccomp);
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .linux_ = json });
	return &fixture->plan->seccomp;
}

Test(plan_seccomp, off_where_nothing_is_said)
{
	PLAN_FIXTURE(fixture);

	plan_fixture_good(&fixture, &(struct plan_fixture_json){ 0 });
	cr_expect_not(fixture.plan->seccomp.enabled);
}

Test(plan_seccomp, rules_keep_names_and_operators)
{
	PLAN_FIXTURE(fixture);
	const struct plan_seccomp *plan = build(
		&fixture,
		"'defaultAction':'SCMP_ACT_ALLOW','architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X32'],"
		"'syscalls':[{'names':['read','no_such_call'],'action':'SCMP_ACT_KILL_PROCESS'},"
		"{'names':['clone'],'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':7,'valueTwo':1,'op':'SCMP_CMP_MASKED_EQ'}]}]");

	cr_expect(plan->enabled);
	cr_expect_eq(plan->default_action, SECCOMP_RET_ALLOW);
	cr_assert_eq(plan->n_architectures, 2);
	cr_expect_eq(plan->architectures[0], AUDIT_ARCH_X86_64);
	cr_expect_eq(plan->architectures[1], (uint32_t)NAMES_ARCH_X32);
	cr_assert_eq(plan->n_rules, 2);
	cr_expect_eq(plan->rules[0].n_names, 2);
	cr_expect_str_eq(plan->rules[0].names[1], "no_such_call");
	cr_expect_eq(plan->rules[0].action, SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(plan->rules[1].action, SECCOMP_RET_ERRNO | EPERM);
	cr_assert_eq(plan->rules[1].n_args, 1);
	cr_expect_str_eq(plan->rules[1].args[0].op, "SCMP_CMP_MASKED_EQ");
	cr_expect_eq(plan->rules[1].args[0].value, 7);
	cr_expect_eq(plan->rules[1].args[0].value_two, 1);
}

Test(plan_seccomp, errno_goes_into_the_action)
{
	static const struct {
		const char *seccomp;
		uint32_t action;
	} cases[] = {
		{ "'defaultAction':'SCMP_ACT_ERRNO'", SECCOMP_RET_ERRNO | EPERM },
		{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38", SECCOMP_RET_ERRNO | 38 },
		{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':0", SECCOMP_RET_ERRNO },
		{ "'defaultAction':'SCMP_ACT_TRACE','defaultErrnoRet':65535", SECCOMP_RET_TRACE | 65535 },
		{ "'defaultAction':'SCMP_ACT_TRACE'", SECCOMP_RET_TRACE | EPERM },
		{ "'defaultAction':'SCMP_ACT_KILL'", SECCOMP_RET_KILL_THREAD },
		{ "'defaultAction':'SCMP_ACT_LOG'", SECCOMP_RET_LOG },
		{ "'defaultAction':'SCMP_ACT_TRAP'", SECCOMP_RET_TRAP },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		cr_expect_eq(build(&fixture, cases[i].seccomp)->default_action, cases[i].action, "%s", cases[i].seccomp);
	}
}

Test(plan_seccomp, flags)
{
	static const struct {
		const char *flags;
		uint64_t value;
	} cases[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",'flags':[]", 0 },
		{ ",'flags':['SECCOMP_FILTER_FLAG_LOG']", SECCOMP_FILTER_FLAG_LOG },
	};
	char json[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);

		snprintf(json, sizeof(json), "'defaultAction':'SCMP_ACT_ALLOW'%s", cases[i].flags);
		cr_expect_eq(build(&fixture, json)->flags, cases[i].value, "%s", cases[i].flags);
	}
}

#define NOTIFY(name)                                                                                                           \
	"'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/l','listenerMetadata':'m','syscalls':[{'names':['mkdir','" name \
	"'],'action':'SCMP_ACT_NOTIFY'}]"

Test(plan_seccomp, listener)
{
	PLAN_FIXTURE(fixture);
	const struct plan_seccomp *plan = build(&fixture, NOTIFY("mount"));

	cr_expect_str_eq(plan->listener_path, "/run/l");
	cr_expect_str_eq(plan->listener_metadata, "m");
	cr_expect_eq(plan->rules[0].action, SECCOMP_RET_USER_NOTIF);
	plan_fixture_refused(&(struct plan_fixture_json){ .linux_ = ",'seccomp':{" NOTIFY("write") "}" }, ERROR_INVALID,
			     "linux.seccomp.syscalls[0].names[1]");
}

Test(plan_seccomp, digest_tells_filters_apart)
{
	PLAN_FIXTURE(a);
	PLAN_FIXTURE(b);
	PLAN_FIXTURE(c);
	const struct plan_seccomp *plan = build(&a, "'defaultAction':'SCMP_ACT_ALLOW'");

	cr_expect_arr_eq(plan->digest, build(&b, "'defaultAction':'SCMP_ACT_ALLOW'")->digest, 32);
	cr_expect_arr_neq(plan->digest, build(&c, "'defaultAction':'SCMP_ACT_LOG'")->digest, 32);
}
