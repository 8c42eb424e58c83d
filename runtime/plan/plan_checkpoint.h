/* Which containers can be saved to files and brought back without anything being lost on the way. */
#pragma once

#include "plan/plan.h"
#include "policy/policy.h"

#define PLAN_LOST_MAX 512

/* A saved process comes back with what its image says, and an image is a file like any other: what a policy holds processes with must
 * not come from there. policy: under which the container was made, or is to be. Returns false, or true with the reason as the
 * end of a sentence ("can't be saved: ..."). */
bool plan_checkpoint_loses(const struct policy *policy, const struct plan *plan, char reason[static PLAN_LOST_MAX]);
