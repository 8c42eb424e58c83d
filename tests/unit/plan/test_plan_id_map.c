#include <criterion/criterion.h>

#include "plan/plan_id_map.h"

static const struct plan_id_range two_ranges[] = { { 0, 100000, 1000 }, { 1000, 5000, 1 } };
static const struct plan_id_map two = { two_ranges, 2 };

Test(plan_id_map, outside)
{
	cr_expect_eq(plan_id_map_outside(&two, 0), 100000);
	cr_expect_eq(plan_id_map_outside(&two, 999), 100999);
	cr_expect_eq(plan_id_map_outside(&two, 1000), 5000);
	cr_expect_eq(plan_id_map_outside(&two, 1001), 1001, "not in the map: the id itself");
	cr_expect_eq(plan_id_map_outside(&(struct plan_id_map){ 0 }, 42), 42);
}

Test(plan_id_map, outside_at_the_end_of_the_numbers)
{
	static const struct plan_id_range ranges[] = { { UINT32_MAX - 5, 10, 5 }, { 1, UINT32_MAX - 9, 8 } };
	const struct plan_id_map map = { ranges, 2 };

	cr_expect_eq(plan_id_map_outside(&map, UINT32_MAX - 5), 10);
	cr_expect_eq(plan_id_map_outside(&map, UINT32_MAX - 1), 14);
	cr_expect_eq(plan_id_map_outside(&map, UINT32_MAX), UINT32_MAX);
	cr_expect_eq(plan_id_map_outside(&map, 8), UINT32_MAX - 2);
	cr_expect_eq(plan_id_map_outside(&map, 0), 0);
}

Test(plan_id_map, what_is_not_mapped_is_not_found)
{
	uint32_t outside = 7;

	cr_expect_not(plan_id_map_find(&two, 1001, &outside));
	cr_expect_eq(outside, 7);
	cr_expect(plan_id_map_find(&two, 1000, &outside));
	cr_expect_eq(outside, 5000);
}
