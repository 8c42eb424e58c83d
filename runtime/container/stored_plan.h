/* The decisions made at create, from the config.json that was kept: for hooks, exec and update later on. */
#pragma once

#include "base/error.h"
#include "container/store.h"
#include "plan/plan.h"
#include "spec/spec.h"

int stored_plan_spec(const struct container *container, struct spec **ret, struct error *err);
int stored_plan_load(const struct brig *brig, const struct container *container, struct plan **ret, struct error *err);
/* Which hooks the policy's rule took away, into state; the texts are the report's. */
int stored_plan_hooks_left_out(const struct report *report, struct state *state, struct arena *arena, struct error *err);
