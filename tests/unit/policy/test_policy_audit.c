/* What the policy says about the audit trail. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "policy/policy.h"

static void parse(const char *text, struct policy *ret)
{
	struct error err = { 0 };

	cr_assert_eq(policy_parse(text, strlen(text), ret, &err), 0, "%s: %s", text, err.message);
}

Test(policy_audit, sets_differ)
{
	struct policy policy;

	cr_assert_eq(policy_load("conformant", &policy, NULL), 0);
	cr_expect_not(policy.audit.enabled);
	cr_assert_eq(policy_load("strict", &policy, NULL), 0);
	cr_expect(policy.audit.enabled && policy.audit.required);
	cr_assert_eq(policy_load("baseline", &policy, NULL), 0);
	cr_expect(policy.audit.enabled && !policy.audit.required);
	cr_expect_str_eq(policy.audit.path, "");
}

Test(policy_audit, a_file_changes_what_it_names)
{
	struct policy policy;

	parse("{\"set\":\"strict\",\"audit\":{\"path\":\"/a/b\",\"max_size\":\"1m\",\"keep\":100,\"syslog\":true,"
	      "\"required\":false,\"redact_args\":true}}",
	      &policy);
	cr_expect(policy.audit.enabled && policy.audit.syslog && policy.audit.redact_args && !policy.audit.required);
	cr_expect_str_eq(policy.audit.path, "/a/b");
	cr_expect_eq(policy.audit.max_bytes, 1024 * 1024);
	cr_expect_eq(policy.audit.keep, 100);
	policy_done(&policy);
	parse("{\"set\":\"strict\",\"audit\":{}}", &policy);
	cr_expect(policy.audit.enabled && policy.audit.required);
	policy_done(&policy);
	parse("{\"set\":\"strict\",\"audit\":{\"enabled\":false}}", &policy);
	cr_expect_not(policy.audit.enabled);
	policy_done(&policy);
	parse("{\"set\":\"conformant\",\"audit\":{}}", &policy);
	cr_expect(policy.audit.enabled && !policy.audit.required);
	policy_done(&policy);
	parse("{\"set\":\"conformant\"}", &policy);
	cr_expect_not(policy.audit.enabled);
	policy_done(&policy);
}

struct refused {
	const char *text, *reason;
};

Test(policy_audit, what_makes_no_sense_is_refused)
{
	static const struct refused cases[] = {
		{ "{\"path\":\"a/b\"}", "audit.path: is \"a/b\": give the absolute path" },
		{ "{\"path\":\"/a/\"}", "audit.path: is \"/a/\"" },
		{ "{\"path\":\"\"}", "audit.path" },
		{ "{\"max_size\":\"65535\"}", "audit.max_size: is \"65535\": give at least 64k" },
		{ "{\"max_size\":\"many\"}", "audit.max_size" },
		{ "{\"keep\":0}", "audit.keep: is 0: give 1 to 100" },
		{ "{\"keep\":101}", "audit.keep: is 101" },
		{ "{\"keep\":-1}", "audit.keep" },
		{ "{\"other\":1}", "audit: unknown key \"other\"; there is: enabled, path" },
		{ "null", "audit: expected an object, found null" },
		{ "true", "audit: expected an object" },
	};
	struct policy policy = { .set = 77 };
	struct error err;
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err = (struct error){ 0 };
		snprintf(text, sizeof(text), "{\"set\":\"strict\",\"audit\":%s}", cases[i].text);
		cr_expect_lt(policy_parse(text, strlen(text), &policy, &err), 0, "%s was taken", text);
		cr_expect_not_null(strstr(err.message, cases[i].reason), "expected \"%s\", found: %s", cases[i].reason,
				   err.message);
	}
	cr_expect_eq((int)policy.set, 77, "a failed load must not touch its output");
}

Test(policy_audit, a_path_has_an_end)
{
	struct policy policy;
	char text[600], path[301];

	memset(path, 'x', 300);
	path[0] = '/';
	path[300] = '\0';
	snprintf(text, sizeof(text), "{\"set\":\"strict\",\"audit\":{\"path\":\"%s\"}}", path);
	cr_expect_lt(policy_parse(text, strlen(text), &policy, NULL), 0);
}

Test(policy_audit, digests_tell_policies_apart)
{
	struct policy a, b;

	cr_assert_eq(policy_load("strict", &a, NULL), 0);
	cr_assert_eq(policy_load("baseline", &b, NULL), 0);
	cr_expect_neq(memcmp(a.digest, b.digest, sizeof(a.digest)), 0);
	parse("{\"set\":\"strict\"}", &b);
	cr_expect_neq(memcmp(a.digest, b.digest, sizeof(a.digest)), 0);
	policy_done(&b);
	parse("{\"set\": \"strict\"}", &a);
	cr_expect_neq(memcmp(a.digest, b.digest, sizeof(a.digest)), 0, "the file, byte for byte");
	policy_done(&a);
}
