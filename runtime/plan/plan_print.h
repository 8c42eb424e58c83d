/* Plan and report for people and for programs: what `brig plan` prints. */
#pragma once

#include "base/buffer.h"
#include "plan/plan.h"

enum plan_print_format {
	PLAN_PRINT_TEXT = 0,
	PLAN_PRINT_JSON = 1,
	PLAN_PRINT_REDACTED = 2, /* or-ed to either: arguments are counted, not shown */
};

/* Appends plan, report (may be NULL) and the policy's name to out; look at out->failed afterwards. No values of environment
 * variables and annotations are printed, which may be secrets, and of each argument the first 128 bytes. */
void plan_print(const struct plan *plan, const struct report *report, const char *policy, enum plan_print_format format,
		struct buffer *out);
