/* The processors and the memory nodes that a process is put on. */
#pragma once

#include "plan/plan.h"

/* The calling process's processors, where list names any. 0, or -1 with errno set (sched_setaffinity(2): EINVAL, none of them is there, or
 * none of them is its control group's). */
int placement_set_cpus(const struct plan_number_list *list);
