/* The decisions made at create, from the config.json that was kept: for hooks, exec and update later on. */
#pragma once

#include "base/error.h"
#include "container/store.h"
#include "plan/plan.h"
#include "spec/spec.h"

/* The config.json that was kept, decoded and validated anew: it is a file that somebody else may have written since. ret:
 * spec_free(). */
int stored_plan_spec(const struct container *container, struct spec **ret, struct error *err);
/* Its plan, with the ids and the manager of the group that create chose, and without the hooks that the policy took away. What
 * the site allows today is not asked. ret: plan_free(). Errors: those of stored_plan_spec(), host_probe() and plan_build(). */
int stored_plan_load(const struct brig *brig, const struct container *container, struct plan **ret, struct error *err);
/* Which hooks the policy's rule took away, into state; the texts are the report's. */
int stored_plan_hooks_left_out(const struct report *report, struct state *state, struct arena *arena, struct error *err);
