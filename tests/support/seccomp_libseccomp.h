/* libseccomp's program for a plan, to be compared with ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "plan/plan.h"

/* As runc would have it, owned by the caller. NULL: libseccomp refuses the rules. */
struct sock_filter *seccomp_libseccomp_compile(const struct plan_seccomp *plan, size_t *ret_n);
/* Where libseccomp 2.5.4 is known not to do what the rules say: on x86 beside a rule for a call that exists there through
 * socketcall or ipc only (its program forgets to load the number, and with arguments it shares the wrong code with
 * x86_64), for several LT, LE, GT, GE about one call (their halves are merged), calls that it does not know. */
bool seccomp_libseccomp_is_wrong(const struct plan_seccomp *plan, const struct seccomp_data *data);
