/* What the maps of a plan say of one id. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

/* The host's id for one of the container's: false, and ret_outside as it was, where the map lacks it. */
bool plan_id_map_find(const struct plan_id_map *map, uint32_t inside, uint32_t *ret_outside);
/* The same; the id itself where the map is empty or lacks it. */
uint32_t plan_id_map_outside(const struct plan_id_map *map, uint32_t inside);
