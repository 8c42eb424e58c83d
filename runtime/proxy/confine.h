/* What the egress proxy gives up before it takes its first client. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* parent_pid: who it ends with. kept_fds: all that stays open, beside /dev/null at 0 to 2. Afterwards it is nobody (where it was root), has no
 * way to a file, no new privileges, and the system calls of its loop alone; what it has is sockets to the outside, which it may make. */
int confine(pid_t parent_pid, const int *kept_fds, size_t n_kept, struct error *err);
