/* The floor's properties about limits: of floor_properties.c's table. What a container asks for and gets is the looser one of what it says
 * by the limit's own name and by the file's. */
#pragma once

#include "plan_fixture.h"

bool floor_limits_pids_missing(const struct plan_fixture *fixture);
bool floor_limits_memory_missing(const struct plan_fixture *fixture);
bool floor_limits_cpu_missing(const struct plan_fixture *fixture);
bool floor_limits_pids_above(const struct plan_fixture *fixture);
bool floor_limits_memory_above(const struct plan_fixture *fixture);
bool floor_limits_cpu_above(const struct plan_fixture *fixture);
/* A file of the group's that takes from everybody else what it gives. */
bool floor_limits_greedy(const struct plan_fixture *fixture);
