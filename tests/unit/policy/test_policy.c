#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "policy/policy.h"

static struct policy parsed(const char *text)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), &policy, &err), 0, "%s: %s", text, err.message);
	return policy;
}

Test(policy, conformant_is_there_by_name_and_warns)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	cr_expect_eq(policy.set, POLICY_CONFORMANT);
	cr_expect_str_eq(policy_name(&policy), "conformant");
	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		cr_expect_eq(policy_level(&policy, rule), POLICY_WARN, "%s", policy_rule_name(rule));
		cr_expect_eq(policy_level(NULL, rule), POLICY_WARN, "%s", policy_rule_name(rule));
	}
}

Test(policy, other_names_are_refused_with_the_list)
{
	static const char *const names[] = { "strict", "", "CONFORMANT", "policy.json" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_load(names[i], &policy, &err), -ENOENT);
		cr_expect_eq(err.kind, ERROR_NOT_FOUND);
		cr_expect_not_null(strstr(err.message, names[i]));
		cr_expect_not_null(strstr(err.message, "available: conformant, or a file"), "%s", err.message);
		cr_expect_eq((int)policy.set, 77, "a failed load must not touch its output");
	}
}

Test(policy, rules_have_names_and_remedies_of_their_own)
{
	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		cr_assert_not_null(policy_rule_name(rule), "rule %d", rule);
		cr_expect_not_null(policy_rule_remedy(rule), "%s", policy_rule_name(rule));
		for (int other = 0; other < rule; other++)
			cr_expect_str_neq(policy_rule_name(rule), policy_rule_name(other));
	}
	cr_expect_str_eq(policy_rule_name(POLICY_RLIMIT_RAISE), "rlimit-raise");
	cr_expect_str_eq(policy_rule_name(POLICY_CAPABILITY_UNKNOWN), "capability-unknown");
	cr_expect_str_eq(policy_rule_name(POLICY_SELINUX_MISSING), "selinux-missing");
}

Test(policy, a_document_changes_the_rules_it_names_alone)
{
	struct policy policy = parsed("{\"set\": \"conformant\", \"rules\": {\"rlimit-raise\": \"enforce\", "
				      "\"capability-unknown\": \"off\", \"selinux-missing\": \"adjust\"}}");

	cr_expect_eq(policy_level(&policy, POLICY_RLIMIT_RAISE), POLICY_ENFORCE);
	cr_expect_eq(policy_level(&policy, POLICY_CAPABILITY_UNKNOWN), POLICY_OFF);
	cr_expect_eq(policy_level(&policy, POLICY_SELINUX_MISSING), POLICY_ADJUST);
	cr_expect_eq(policy_level(&policy, POLICY_CAPABILITY_WITHHELD), POLICY_WARN);
	cr_expect_eq(policy_level(&policy, POLICY_OOM_SCORE_LOWER), POLICY_WARN);
	cr_expect_eq(policy_level(&policy, POLICY_CGROUP_DISABLED), POLICY_WARN);
	policy = parsed("{\"set\": \"conformant\"}");
	cr_expect_eq(policy_level(&policy, POLICY_RLIMIT_RAISE), POLICY_WARN);
}

/* Each known rule can be named, and means itself. */
Test(policy, every_rule_can_be_set)
{
	char text[128];

	for (int rule = 0; rule < POLICY_N_RULES; rule++) {
		snprintf(text, sizeof(text), "{\"set\":\"conformant\",\"rules\":{\"%s\":\"enforce\"}}",
			 policy_rule_name(rule));
		struct policy policy = parsed(text);

		for (int other = 0; other < POLICY_N_RULES; other++)
			cr_expect_eq(policy_level(&policy, other), other == rule ? POLICY_ENFORCE : POLICY_WARN);
	}
}

struct refused {
	const char *text, *words;
};

Test(policy, what_does_not_fit_is_an_error_that_names_it)
{
	static const struct refused cases[] = {
		{ "", "no valid JSON" },
		{ "{", "no valid JSON" },
		{ "[]", "expected an object, found an array" },
		{ "null", "expected an object, found null" },
		{ "{}", "\"set\" is missing" },
		{ "{\"rules\":{}}", "\"set\" is missing" },
		{ "{\"set\":\"lax\"}", "set: \"lax\" is not a known policy set; allowed: conformant" },
		{ "{\"set\":null}", "set: expected a string, found null" },
		{ "{\"set\":1}", "set: expected a string, found 1" },
		{ "{\"set\":\"conformant\",\"set\":\"conformant\"}", "twice" },
		{ "{\"set\":\"conformant\",\"sets\":1}", "unknown key \"sets\"; there is: set, rules" },
		{ "{\"Set\":\"conformant\"}", "unknown key \"Set\"; there is: set, rules" },
		{ "{\"set\":\"conformant\",\"rules\":[]}", "rules: expected an object, found an array" },
		{ "{\"set\":\"conformant\",\"rules\":null}", "rules: expected an object, found null" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit\":\"warn\"}}",
		  "rules: unknown key \"rlimit\"; there is: capability-unknown, capability-withheld, cgroup-disabled, "
		  "limit-raise, limit-unsupervised, oom-score-lower, rlimit-raise, selinux-missing" },
		{ "{\"set\":\"conformant\",\"limits\":{\"timeout\":\"soon\"}}",
		  "limits.timeout: is \"soon\": give seconds" },
		{ "{\"set\":\"conformant\",\"limits\":{\"max_output\":\"-1\"}}",
		  "limits.max_output: is \"-1\": give bytes" },
		{ "{\"set\":\"conformant\",\"limits\":{\"timeout\":90}}", "limits.timeout: expected a string, found" },
		{ "{\"set\":\"conformant\",\"limits\":{\"memory\":\"1g\"}}", "limits: unknown key \"memory\"" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":\"ENFORCE\"}}",
		  "rules.rlimit-raise: \"ENFORCE\" is not a known level; allowed: enforce, adjust, warn, off" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":null}}",
		  "rules.rlimit-raise: expected a string, found null" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":{\"a\":1}}}",
		  "rules.rlimit-raise: expected a string, found an object" },
		{ "{\"set\":\"conformant\",\"rules\":{\"rlimit-raise\":\"off\",\"rlimit-raise\":\"enforce\"}}", "twice" },
		{ "{\"set\":\"conformant\"} x", "no valid JSON" },
		{ "{\"set\":\"conformant\"}{\"set\":\"conformant\"}", "no valid JSON" },
		{ "{\"set\":\"conform\xff\"}", "no valid UTF-8" },
		{ "{\"set\":\"conformant\\u0000\"}", "is not a known policy set" },
		{ "{\"set\":\"conformant\",\"rules\\u0000\":{}}", "unknown key" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_parse(cases[i].text, strlen(cases[i].text), &policy, &err), -EINVAL, "%s",
			     cases[i].text);
		cr_expect_eq(err.kind, ERROR_INVALID, "%s", cases[i].text);
		cr_expect_not_null(strstr(err.message, cases[i].words), "%s: expected \"%s\" in: %s", cases[i].text,
				   cases[i].words, err.message);
		cr_expect_eq((int)policy.set, 77, "a failed parse must not touch its output");
	}
}

/* Caps come before the parser: nothing here may take long or much stack. */
Test(policy, size_and_depth_are_capped)
{
	static char text[POLICY_BYTES_MAX + 64];
	struct policy policy;
	struct error err = { 0 };
	size_t length = strlen("{\"set\":\"conformant\"}");

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"set\":\"conformant\"}", length);
	cr_expect_eq(policy_parse(text, POLICY_BYTES_MAX, &policy, &err), 0, "%s", err.message);
	cr_expect_eq(policy_parse(text, POLICY_BYTES_MAX + 1, &policy, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "at most 65536"), "%s", err.message);

	memset(text, '[', sizeof(text));
	cr_expect_eq(policy_parse(text, 1000, &policy, &err), -EINVAL);
	memcpy(text, "{\"rules\":", 9);
	for (size_t i = 9; i + 5 < sizeof(text); i += 5)
		memcpy(text + i, "{\"a\":", 5);
	cr_expect_eq(policy_parse(text, 60000, &policy, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "unknown key \"a\""), "%s", err.message);
}
