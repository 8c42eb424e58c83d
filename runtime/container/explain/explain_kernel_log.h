/* Refused calls of a container that nobody counts for, from the kernel's audit: its messages, and auditd's file where that takes them. As many as
 * were let through there, and as can be told to be the container's (kernel_record_owner.h). */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "container/explain/denial_document.h"
#include "container/store.h"

#define EXPLAIN_KERNEL_LOG_CALLS 64
#define EXPLAIN_KERNEL_LOG_AUDITD "/var/log/audit/audit.log"

/* Those of the container since it was made. ret: in arena; zeroes where there is nothing, or neither can be read. */
void explain_kernel_log(const struct state *state, struct arena *arena, struct denial_document *ret);
/* auditd's file, at its end but for tail bytes: -EBADF where it is not there, is not a regular file of root's that nobody else can write
 * to, or a link is on the way. */
int explain_kernel_log_open(const char *path, size_t tail);
