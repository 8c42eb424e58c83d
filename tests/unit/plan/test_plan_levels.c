/* Who may say how strictly a rule holds: the policy, and annotations as far as they only tighten, or as the policy delegates. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "plan_fixture.h"

static void build(struct plan_fixture *fixture, const struct policy *policy, const char *annotations)
{
	char top[512];

	snprintf(top, sizeof(top), ",'annotations':{%s}", annotations);
	fixture->request.policy = policy;
	plan_fixture_build(fixture, &(struct plan_fixture_json){ .top = top });
}

static const char *level_of(const struct plan_fixture *fixture, enum policy_rule rule)
{
	return fixture->plan->rules[rule].value;
}

struct level_case {
	enum policy_rule rule;
	enum policy_level policy;
	const char *annotation, *level;
	bool loosens;
};

/* Of the floor `warn` lets everything through; of what the host withholds nothing, and is only louder than `adjust`. */
Test(plan_levels, an_annotation_tightens_and_never_loosens)
{
	static const struct level_case cases[] = {
		{ POLICY_NEW_PRIVILEGES, POLICY_OFF, "warn", "warn", false },
		{ POLICY_NEW_PRIVILEGES, POLICY_OFF, "adjust", "adjust", false },
		{ POLICY_NEW_PRIVILEGES, POLICY_WARN, "adjust", "adjust", false },
		{ POLICY_NEW_PRIVILEGES, POLICY_ADJUST, "adjust", "adjust", false },
		{ POLICY_NEW_PRIVILEGES, POLICY_ADJUST, "warn", "adjust", true },
		{ POLICY_NEW_PRIVILEGES, POLICY_ADJUST, "off", "adjust", true },
		{ POLICY_NEW_PRIVILEGES, POLICY_WARN, "off", "warn", true },
		{ POLICY_RLIMIT_RAISE, POLICY_ADJUST, "warn", "warn", false },
		{ POLICY_RLIMIT_RAISE, POLICY_WARN, "adjust", "warn", true },
		{ POLICY_RLIMIT_RAISE, POLICY_WARN, "enforce", "enforce", false },
		{ POLICY_RLIMIT_RAISE, POLICY_ENFORCE, "off", "enforce", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = { 0 };
		char annotation[64];
		bool reported = false;
		PLAN_FIXTURE(fixture);

		cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
		policy.levels[cases[i].rule] = cases[i].policy;
		snprintf(annotation, sizeof(annotation), "'brig.dev/%s':'%s'", policy_rule_name(cases[i].rule),
			 cases[i].annotation);
		build(&fixture, &policy, annotation);
		cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
		cr_expect_str_eq(level_of(&fixture, cases[i].rule), cases[i].level, "case %zu", i);
		cr_expect_not(plan_fixture_has_line(&fixture, "annotation-unknown"));
		for (size_t k = 0; k < fixture.report.n_lines; k++)
			reported |= strncmp(fixture.report.lines[k].where, "annotations[", 12) == 0;
		cr_expect_eq(reported, cases[i].loosens, "case %zu: what does not hold has to be said", i);
	}
}

Test(plan_levels, a_tightened_rule_refuses)
{
	PLAN_FIXTURE(fixture);

	build(&fixture, fixture.request.policy, "'brig.dev/new-privileges':'enforce'");
	cr_expect_eq(fixture.rc, -EPERM);
	cr_expect_not_null(strstr(fixture.err.message, "rule new-privileges"), "%s", fixture.err.message);
}

Test(plan_levels, a_delegated_rule_can_be_loosened_by_that_annotation_alone)
{
	static const struct {
		const char *annotations, *level;
	} cases[] = {
		{ "'example.com/hooks':'off'", "off" },
		{ "'example.com/hooks':'enforce'", "enforce" },
		{ "'brig.dev/hook':'off'", "adjust" },
		{ "'example.com/hook':'off'", "adjust" },
		{ "'example.com/hooks':'off','brig.dev/hook':'warn'", "warn" },
		{ "'brig.dev/hook':'enforce','example.com/hooks':'off'", "enforce" },
		{ "'brig.dev/device':'enforce','example.com/hooks':'off'", "off" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy policy = { 0 };
		PLAN_FIXTURE(fixture);

		cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
		policy.levels[POLICY_HOOK] = POLICY_ADJUST;
		policy.delegated[POLICY_HOOK] = "example.com/hooks";
		build(&fixture, &policy, cases[i].annotations);
		cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
		cr_expect_str_eq(level_of(&fixture, POLICY_HOOK), cases[i].level, "%s", cases[i].annotations);
		cr_expect_str_eq(level_of(&fixture, POLICY_ANNOTATION), "off", "no other rule is touched");
	}
}

Test(plan_levels, brigs_own_name_can_be_delegated_to)
{
	struct policy policy = { 0 };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
	policy.levels[POLICY_HOOK] = POLICY_ENFORCE;
	policy.delegated[POLICY_HOOK] = "brig.dev/hook";
	build(&fixture, &policy, "'brig.dev/hook':'off'");
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	cr_expect_str_eq(level_of(&fixture, POLICY_HOOK), "off");
}

Test(plan_levels, what_is_no_level_is_an_error)
{
	static const char *const annotations[] = { "'brig.dev/hook':'on'", "'brig.dev/hook':''",
						   "'brig.dev/hook':'ENFORCE'", "'example.com/hooks':'of'" };

	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++) {
		struct policy policy = { 0 };
		PLAN_FIXTURE(fixture);

		cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
		policy.delegated[POLICY_HOOK] = "example.com/hooks";
		build(&fixture, &policy, annotations[i]);
		cr_expect_eq(fixture.rc, -EINVAL, "%s", annotations[i]);
		cr_expect_not_null(strstr(fixture.err.message, "is no level; allowed: enforce, adjust, warn, off"),
				   "%s", fixture.err.message);
	}
}

Test(plan_levels, a_misspelt_rule_is_a_warning)
{
	PLAN_FIXTURE(fixture);

	build(&fixture, fixture.request.policy, "'brig.dev/hooks':'enforce'");
	cr_assert_eq(fixture.rc, 0);
	cr_expect_eq(plan_fixture_line(&fixture, "annotation-unknown")->level, REPORT_WARNING);
}

/* What runs was decided when it was made: neither the policy nor an annotation may stop its last hooks. */
Test(plan_levels, of_a_decided_container_every_rule_is_off)
{
	struct policy policy = { 0 };
	PLAN_FIXTURE(fixture);

	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	fixture.request.decided = true;
	build(&fixture, &policy, "'brig.dev/new-privileges':'enforce','brig.dev/hook':'nonsense'");
	cr_assert_eq(fixture.rc, 0, "%s", fixture.err.message);
	for (size_t rule = 0; rule < POLICY_N_RULES; rule++)
		cr_expect_str_eq(level_of(&fixture, (enum policy_rule)rule), "off");
}
