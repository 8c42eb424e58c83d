/* Digests of parts of a plan: keys of caches, and what the audit trail records. Pure. */
#pragma once

#include <stdint.h>

#include "plan/plan.h"

/* SHA-256 of everything in plan but plan->digest itself, in a form in which no two different plans look alike (each
 * string and list goes in with its length, each number with its full width in little-endian order). */
void plan_digest_seccomp(const struct plan_seccomp *plan, uint8_t digest[static 32]);
