/* Facts about this host that a plan depends on. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* Gathers them with as few system calls as the caller's privileges allow: hard limits and our oom_score_adj are read only where
 * CAP_SYS_RESOURCE is missing, since only then they bound what can be asked for. */
int host_probe(struct host *host, struct error *err);
/* Our own; 0 where it can't be read. */
int host_oom_score_adj(void);
/* Is AppArmor on? It may be in the kernel and yet off, where another security module is chosen. */
bool host_has_apparmor(void);
/* Is an AppArmor profile of that name loaded? false also where we may not know. */
bool host_has_apparmor_profile(const char *name);
/* Can the kernel stack AppArmor's profiles, and is PLAN_APPARMOR_STACKED loaded? false also where we may not know. */
bool host_has_apparmor_stacked(void);
/* What the rule `landlock` of the policy asks about, where it is not off. */
void host_probe_landlock(struct host *host);
