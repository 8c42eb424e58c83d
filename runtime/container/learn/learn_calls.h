/* System calls that were made, and what was answered to them: as many as a profile can tell apart, no more. Pure. Internal to learn. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/seccomp.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "container/learn/learn_profile.h"

struct learn_calls;

struct learn_calls *learn_calls_new(void); /* NULL: no memory */
void learn_calls_free(struct learn_calls *calls);
DEFINE_CLEANUP(struct learn_calls *, learn_calls_free);

/* answer: SECCOMP_RET_* with its data. What does not fit in the table any more (a program that tries every number) is counted alone, in untold. */
void learn_calls_add(struct learn_calls *calls, const struct seccomp_data *call, uint32_t answer);
/* Of all calls. */
uint64_t learn_calls_total(const struct learn_calls *calls);
/* Of those that did not fit: no profile has them. */
uint64_t learn_calls_untold(const struct learn_calls *calls);
/* The names of those that were answered with EPERM, each once and sorted, appended with spaces between. Returns how many. */
size_t learn_calls_refused(const struct learn_calls *calls, struct buffer *out);
/* Adds to profile: a rule for each kind of call that went through; for what got another errno than EPERM, one that does the same; with
 * beyond_floor also what got EPERM; and what every program needs at moments that a run need not have. Of refusals none about a call
 * that the profile allows without conditions. */
int learn_calls_add_rules(const struct learn_calls *calls, bool beyond_floor, struct learn_profile *profile,
			  struct error *err);
