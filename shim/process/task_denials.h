/* Serves the listener of what the floor's filter refuses a container: the shim is who stays with it. */
#pragma once

#include <stdbool.h>

#include "shim/loop/loop.h"
#include "shim/process/worker.h"

struct denial_keeper;
struct denial_listener;
struct process;
struct task;

struct task_denials {		      /* a member of its task */
	struct denial_keeper *keeper; /* NULL: nothing is counted */
	struct loop_watch watch;
	struct loop_timer timer; /* for the next writing down */
	bool is_taken;		 /* the first process's listener came */
};

struct task_denials_exec { /* a member of its process: one more listener, counted with the container's */
	struct loop_watch watch;
	int fd; /* 0: none */
};

/* Of each worker that has succeeded: takes the listener where one came along. Nothing that is refused goes on before this. */
void task_denials_take(struct process *process, struct worker_outcome *outcome);
/* The container has ended: what was counted is written down, and stays until the task goes. */
void task_denials_end(struct task *task);
/* Frees the keeper, whatever it has. */
void task_denials_close(struct task *task);
/* An exec is freed. */
void task_denials_forget(struct process *process);
/* For the audit trail; or NULL. */
const struct denial_listener *task_denials_counted(const struct process *process);
