/* What a group has used, read from its files. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig_group.h"
#include "parent/cgroup/cgroup.h"

int metrics_read(struct cgroup *cgroup, struct arena *arena, struct brig_metrics *ret, struct error *err);
