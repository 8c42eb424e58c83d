/* Refused calls of a container that nobody counts for, from the kernel's log: as many as its bound on the rate lets through. Whose
 * they are is told by the host's user ids, which are one container's alone. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "container/explain/denial_document.h"
#include "container/store.h"

#define EXPLAIN_KERNEL_LOG_CALLS 64

struct explain_kernel_call {
	uint32_t uid, architecture, number;
	uint64_t milliseconds; /* since 1970 */
	char program[16];
};

/* A record of /dev/kmsg: is it the kernel's own word that a filter refused a call (type 1326, with an errno)? Pure.
 * Source: kernel's Documentation/ABI/testing/dev-kmsg, audit_seccomp() in kernel/auditsc.c. */
bool explain_kernel_log_parse(const char *record, struct explain_kernel_call *ret);
/* Those of the container since it was made. ret: in arena; zeroes where there is nothing, or the log can't be read. */
void explain_kernel_log(const struct state *state, struct arena *arena, struct denial_document *ret);
