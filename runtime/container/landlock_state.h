/* The lock on a container's file system between create, which decides on it, and exec, which needs it again. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/store.h"
#include "plan/plan.h"

/* What state.json says of a plan; *ret is NULL where the plan has no lock. Memory: arena. Returns 0 or -ENOMEM with err set. */
int landlock_state_of(const struct plan_landlock *plan, struct arena *arena, const struct state_landlock **ret,
		      struct error *err);
/* And back, for plan_request.landlock. */
int landlock_state_plan(const struct state_landlock *state, struct arena *arena, const struct plan_landlock **ret,
			struct error *err);
