/* Facts about this host that a plan depends on. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* Gathers them with as few system calls as the caller's privileges allow: hard limits and our oom_score_adj are read only where
 * CAP_SYS_RESOURCE is missing, since only then they bound what can be asked for. */
int host_probe(struct host *host, struct error *err);
