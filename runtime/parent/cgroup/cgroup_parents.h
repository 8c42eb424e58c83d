/* What the groups above a container's allow it at most: a pod's limits hold for the containers in it. */
#pragma once

#include "parent/cgroup/cgroup.h"
#include "plan/plan.h"

enum {
	CGROUP_PARENTS_PIDS = 1 << 0,
	CGROUP_PARENTS_MEMORY = 1 << 1,
	CGROUP_PARENTS_CPU = 1 << 2,
};

/* The lowest limit of each kind asked for (CGROUP_PARENTS_*) in the groups above path, up to the root; that of path itself is not
 * counted. path: as plan_cgroup.path has it. 0 where there is none, or where it can't be read: then it is not counted on.
 * A few system calls a level, and none for a group right below the root. */
struct host_limits cgroup_parents_limits(enum plan_cgroup_manager manager, const char *path, unsigned kinds);
/* All three of an opened group: its own, and the lowest of the groups above it. */
void cgroup_parents_of(struct cgroup *cgroup, struct host_limits *ret_own, struct host_limits *ret_above);
