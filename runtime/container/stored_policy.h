/* The policy of a container that is there: the one that it was made under, for whatever is done to it later. */
#pragma once

#include "container/store.h"
#include "policy/policy.h"

/* What holds for one more process in the container, or for new limits: as it was made, or stricter where the policy in force now is.
 * So neither an exec without --policy nor a policy file that was relaxed since lowers the floor of what runs. ret: for policy_done(). */
int stored_policy_load(const struct brig *brig, const struct state *state, struct policy *ret, struct error *err);
