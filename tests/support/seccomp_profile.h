/* Plans for tests of the system call filter. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "plan/plan.h"

/* Allows what ordinary programs call, some of it only with certain arguments, and answers EPERM to the rest; for x86_64,
 * x86 and x32. About the size of what container engines ship. */
const struct plan_seccomp *seccomp_profile_engine(struct arena *arena);
/* A small random rule set for the same architectures. *seed goes on. */
const struct plan_seccomp *seccomp_profile_random(struct arena *arena, uint64_t *seed);
uint64_t seccomp_profile_random_number(uint64_t *seed);
/* A value that is often in the random rules, or next to one that is. */
uint64_t seccomp_profile_random_value(uint64_t *seed);
