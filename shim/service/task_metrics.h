/* What a control group counts, as the message that containerd knows. Internal to the service. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "container/brig_group.h"

/* CRI fails on any other type, also on hosts with cgroups v1. */
#define TASK_METRICS_TYPE "io.containerd.cgroups.v2.Metrics"

/* Appends the message to packed; arena: for its lists, until then. Returns 0, or -ENOMEM with err set.
 * Source: containerd's cgroups/v3, cgroup2/stats/metrics.proto */
int task_metrics_pack(const struct brig_metrics *from, struct arena *arena, struct buffer *packed, struct error *err);
