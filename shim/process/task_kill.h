/* Signals to the processes of a container; SIGKILL reaches what they started, and is looked after until it has worked. */
#pragma once

#include "base/error.h"
#include "shim/process/task.h"

/* all: to every process of the container, or of the exec. signal: 0 asks whether it is there. Returns 0, or a negative errno with err set:
 * ERROR_NOT_FOUND where it has ended. SIGKILL always goes to all, and has a bound: what is not dead by then is reported. */
int task_kill_send(struct process *process, int signal, bool all, struct error *err);
/* SIGKILL to everything that belongs to process, as far as it can be reached: for undoing. */
void task_kill_now(struct process *process);
/* Logs which processes sleep uninterruptibly. why: what is wrong. */
void task_kill_report_stuck(struct task *task, const char *why);
