/* What brig doctor knows without looking at the host. */
#include <criterion/criterion.h>

#include "container/explain/doctor.h"

static void expect_taken(uint32_t first, uint32_t count, const char *by)
{
	const struct policy_ids ids = { .first = first, .count = count, .size = 65536 };
	const char *taken = doctor_ids_taken(&ids);

	if (by)
		cr_expect(taken && strstr(taken, by), "%u ids from %u on are %s", count, first, taken ?: "nobody's");
	else
		cr_expect_null(taken, "%u ids from %u on are %s", count, first, taken);
}

Test(doctor, ids_that_others_use)
{
	expect_taken(65536, 65536, "kubelet");
	expect_taken(7274495, 65536, "kubelet");
	expect_taken(7274496, 65536, "systemd");
	expect_taken(1879048191, 65536, "systemd");
	expect_taken(1879048192 - 65536, 65536, "systemd");
	expect_taken(1879048192 - 65536, 65537, "systemd");
	expect_taken(1879048192, 65536, NULL);
	expect_taken(UINT32_MAX - 65536, 65536, NULL);
	expect_taken(65536, UINT32_MAX - 65536, "kubelet");
}

Test(doctor, the_range_that_brig_has_unless_told_otherwise_is_nobodys)
{
	struct policy policy = { 0 };
	struct policy_ids ids;
	struct error err = { 0 };

	cr_assert_eq(policy_load("strict", &policy, &err), 0, "%s", err.message);
	ids = policy_ids(&policy);
	cr_expect_null(doctor_ids_taken(&ids));
	policy_done(&policy);
}
