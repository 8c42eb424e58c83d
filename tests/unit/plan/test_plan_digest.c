#include <string.h>

#include <criterion/criterion.h>
#include <linux/seccomp.h>

#include "plan/plan_digest.h"

/* Plans that a careless serialisation would take for one another. */
static const char *const ab_c[] = { "ab", "c" }, *const a_bc[] = { "a", "bc" }, *const abc[] = { "abc" };
static const struct plan_seccomp_arg equal = { 1, 2, 3, "SCMP_CMP_EQ" }, index_differs = { 2, 2, 3, "SCMP_CMP_EQ" },
				     op_differs = { 1, 2, 3, "SCMP_CMP_NE" },
				     second_differs = { 1, 2, 4, "SCMP_CMP_EQ" };
static const uint32_t arches[] = { 1, 2 };

static const struct plan_seccomp_rule rules[] = {
	{ ab_c, 2, 1, NULL, 0 },	  { a_bc, 2, 1, NULL, 0 },	     { abc, 1, 1, NULL, 0 },
	{ abc, 1, 2, NULL, 0 },		  { abc, 1, 1, &equal, 1 },	     { abc, 1, 1, &op_differs, 1 },
	{ abc, 1, 1, &index_differs, 1 }, { abc, 1, 1, &second_differs, 1 },
};

static const struct plan_seccomp plans[] = {
	{ .enabled = false },
	{ .enabled = true },
	{ .enabled = true, .default_action = 1 },
	{ .enabled = true, .flags = 1 },
	{ .enabled = true, .architectures = arches, .n_architectures = 1 },
	{ .enabled = true, .architectures = arches, .n_architectures = 2 },
	{ .enabled = true, .listener_path = "" },
	{ .enabled = true, .listener_metadata = "" },
	{ .enabled = true, .listener_path = "x" },
	{ .enabled = true, .rules = rules, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 1, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 2, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 3, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 4, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 5, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 6, .n_rules = 1 },
	{ .enabled = true, .rules = rules + 7, .n_rules = 1 },
	{ .enabled = true, .rules = rules, .n_rules = 2 },
};

#define N_PLANS (sizeof(plans) / sizeof(plans[0]))

Test(plan_digest, different_plans_have_different_digests)
{
	uint8_t digests[N_PLANS][32];

	for (size_t i = 0; i < N_PLANS; i++) {
		plan_digest_seccomp(&plans[i], digests[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(memcmp(digests[i], digests[k], 32), 0, "plans %zu and %zu", i, k);
	}
}

Test(plan_digest, equal_plans_have_equal_digests)
{
	char name[] = "abc";
	const char *const copy[] = { name };
	struct plan_seccomp_rule rule = { copy, 1, 1, NULL, 0 };
	struct plan_seccomp plan = { .enabled = true, .rules = &rule, .n_rules = 1 };
	uint8_t a[32], b[32];

	plan_digest_seccomp(&plans[11], a);
	plan_digest_seccomp(&plan, b);
	cr_expect_eq(memcmp(a, b, 32), 0, "the text counts, not where it lies");
	memcpy(plan.digest, a, 32);
	plan_digest_seccomp(&plan, b);
	cr_expect_eq(memcmp(a, b, 32), 0, "the digest itself is not a part");
}
