/* How a process of a container ends: its output is waited for, then its end is told, in the order of exit_order.h. */
#pragma once

#include <time.h>

#include "base/error.h"
#include "shim/process/task.h"

/* The runtime has made it: it is watched from now on, and its output is copied. Takes made->pidfd with success. */
int task_exit_watch(struct process *process, struct brig_process *made, struct error *err);
/* Its program is about to run, or does. */
int task_exit_begin_streams(struct process *process, struct error *err);
/* Its start was told, or will never be. */
void task_exit_announce(struct process *process);
/* All that it wrote has left us: its end may be told in its turn. */
void task_exit_drained(struct process *process);
/* Tells what may be told. */
void task_exit_tell(struct task *task);
/* An exec: no program runs, and whoever waits is answered, as containerd's own shim does it, until it is started once more. */
void task_exit_start_failed(struct process *exec);
/* A start that failed may be tried once more: what its end would have been is forgotten. */
void task_exit_start_again(struct process *exec);
/* The reply of tasks_wait: at once where the exit is told. */
void task_exit_wait(struct process *process, struct task_reply *reply);
