/* What a hook that the policy lets run may have in its environment: config.json says what is in it, and the site, which listed the program, did
 * not list what a variable would have it load or run. So there is a short list of what no program is steered by, and the rest is left out. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "plan/plan.h"

/* Behind a hook's `where`: that something of its environment was taken away. */
#define PLAN_HOOK_ENVIRONMENT ".env"

/* variable: "NAME=VALUE". Returns itself, what it is to be instead, or NULL: it is left out. */
const char *plan_hook_environment_of(const char *variable);
/* Of a hook's whole environment. Returns 0 or -ENOMEM. */
int plan_hook_environment_clear(struct arena *arena, struct plan_hook *hook, struct error *err);
