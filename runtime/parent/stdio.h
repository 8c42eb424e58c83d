/* The container's standard streams. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "plan/plan.h"

/* Makes pipes and sockets among the program's streams 0 to 2 belong to the user of the plan's process, so that a program which is not
 * root can open /dev/stdout. Files, devices and terminals of the host are left alone; so is everything where the container
 * makes its own terminal. pid: a process in the container's user namespace, whose maps count where the plan has none. */
int stdio_give(const struct plan *plan, pid_t pid, const int streams[static 3], struct error *err);
