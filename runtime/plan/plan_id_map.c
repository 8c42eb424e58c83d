#include "plan/plan_id_map.h"

bool plan_id_map_find(const struct plan_id_map *map, uint32_t inside, uint32_t *ret_outside)
{
	for (size_t i = 0; i < map->n_ranges; i++) {
		const struct plan_id_range *range = &map->ranges[i];

		if (inside >= range->inside && inside - range->inside < range->count) {
			*ret_outside = range->outside + (inside - range->inside);
			return true;
		}
	}
	return false;
}

uint32_t plan_id_map_outside(const struct plan_id_map *map, uint32_t inside)
{
	uint32_t outside = inside;

	plan_id_map_find(map, inside, &outside);
	return outside;
}
