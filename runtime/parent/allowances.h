/* What a process that has to be out of its own reach is given by its parent: oom_score_adj, and limits above those that it was born with. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/plan.h"

/* Are there limits that the parent has to raise? */
bool allowances_has_limits(const struct plan_process *process);
/* Errors are those of prlimit(2), and of writing /proc/PID/oom_score_adj (proc(5)). */
int allowances_give(const struct plan_process *process, pid_t pid, struct error *err);
