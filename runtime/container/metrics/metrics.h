/* What a group has used, read from its files. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig_group.h"
#include "parent/cgroup/cgroup.h"

/* All that the group's controllers count, in brig_metrics' units whatever version they have. A file that is not there, or can't
 * be read, is 0 (a limit: UINT64_MAX): a controller that was never turned on is the usual case. What ret points to lives in
 * arena. Returns 0, or a negative errno with err set and *ret untouched: -ENOMEM, or what cgroup_pids() says where nobody
 * counts tasks. */
int metrics_read(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *ret, struct error *err);
