/* What the OCI rules of a plan say about one call of x86_64, x86 or x32, read plainly. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <linux/seccomp.h>

#include "plan/plan.h"

/* *ret_clash: rules with different actions match, so that their order counts. What
 * is beyond the profile is not seen here. */
uint32_t seccomp_reading_verdict(const struct plan_seccomp *plan, const struct seccomp_data *data, bool *ret_clash);

/* The highest numbers that a plan names: x86_64, x86, x32. -1: none. */
struct seccomp_reading_limits {
	int64_t highest[3];
};
void seccomp_reading_limits(const struct plan_seccomp *plan, struct seccomp_reading_limits *ret);
/* The answer is ENOSYS for the number's sake: it is beyond all that the plan names. */
bool seccomp_reading_is_beyond(const struct plan_seccomp *plan, const struct seccomp_reading_limits *limits,
			       const struct seccomp_data *data);

/* token: libseccomp's name of an architecture. Our own is always listed. */
bool seccomp_reading_is_listed(const struct plan_seccomp *plan, uint32_t token);
/* data makes the call `name`, directly or through socketcall or ipc. */
bool seccomp_reading_is_named(const char *name, const struct seccomp_data *data);
/* Two of its conditions are about one argument. */
bool seccomp_reading_repeats_argument(const struct plan_seccomp_rule *rule);
