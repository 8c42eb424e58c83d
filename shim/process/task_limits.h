/* Holds what a container's annotations and the site's policy limit: how long it may run, how much it and its execs may write. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "container/brig.h"
#include "shim/loop/loop.h"
#include "shim/process/tasks.h"

#define TASK_LIMITS_TEXT_MAX 160

struct process;
struct task;
struct worker;
struct worker_outcome;

struct task_limits { /* a member of its task */
	struct brig_limits limits;
	struct loop_timer timer;
	enum task_limit reached; /* which ended the container */
	char text[TASK_LIMITS_TEXT_MAX];
	struct worker *worker; /* leaves the last words: the exit is told after it */
	bool holds_exit;
};

/* In the worker that creates: what was decided; where output has a limit the streams become pipes, whose ends outcome takes. */
int task_limits_decide(const struct process *init, const struct brig_limits *limits, struct worker_outcome *outcome,
		       struct error *err);
/* In the shim, before the streams begin: takes what came of it. */
int task_limits_take(struct process *init, struct worker_outcome *outcome, struct error *err);
/* The container has started: its time runs. */
void task_limits_begin(struct task *task);
/* Its first process has ended: no more time is counted. */
void task_limits_end(struct task *task);
/* io_options.overflowed: ends the process (an exec: with what it started; the init: the container). context: the process. */
void task_limits_overflowed(void *context);
/* The status as it is told: that of the limit, where one ended the container. */
int task_limits_status(const struct process *process, int status);
/* The exit of process can't be told yet: task_exit_drained is called once it can. */
bool task_limits_hold_exit(struct process *process);
/* The task is freed: a worker that is under way is killed. */
void task_limits_close(struct task *task);
