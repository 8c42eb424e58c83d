#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "policy/policy.h"

Test(policy, conformant_is_there_and_the_default)
{
	struct policy policy = { 0 };
	struct error err = { 0 };

	cr_assert_eq(policy_load(NULL, &policy, &err), 0);
	cr_expect_eq(policy.set, POLICY_CONFORMANT);
	cr_assert_eq(policy_load("conformant", &policy, &err), 0);
	cr_expect_str_eq(policy_name(&policy), "conformant");
}

Test(policy, others_are_refused_with_the_list)
{
	static const char *const names[] = { "strict", "", "CONFORMANT", "/etc/brig/policy.json" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct policy policy = { .set = 77 };
		struct error err = { 0 };

		cr_expect_eq(policy_load(names[i], &policy, &err), -ENOENT);
		cr_expect_eq(err.kind, ERROR_NOT_FOUND);
		cr_expect_not_null(strstr(err.message, names[i]));
		cr_expect_not_null(strstr(err.message, "available: conformant"), "%s", err.message);
		cr_expect_eq((int)policy.set, 77, "a failed load must not touch its output");
	}
}
