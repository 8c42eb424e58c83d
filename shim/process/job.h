/* What the runtime does for a request, in a worker, and what that means for the shim: a table. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "shim/process/state.h"
#include "shim/process/worker.h"

struct process;

enum job_kind {
	JOB_CREATE,
	JOB_START,
	JOB_EXEC_START,
	JOB_DELETE,
	JOB_EXEC_DELETE,
	JOB_PAUSE,
	JOB_RESUME,
	JOB_UPDATE,
	JOB_CHECKPOINT,
};

/* prepare's answer: later, once the exit of the process is told. finish's: its process says the rest (task_start.h), and finish comes again. */
#define JOB_WAITS 1

/* Any function may be NULL: nothing is to be done. */
struct job {
	const char *verb; /* "create": for errors */
	enum process_event asked;
	uint64_t timeout; /* nanoseconds */
	/* In the worker; context: the process. See struct worker_options. Without run there is no worker. */
	int (*enter)(const void *context, struct error *err);
	int (*run)(const void *context, struct worker_outcome *outcome, struct error *err);
	/* In another worker, where the first died or finish failed; for an exec that is audited, whose process had been made. */
	int (*undo)(const void *context, struct worker_outcome *outcome, struct error *err);
	/* In the shim, without a worker, where that can be: returns whether it is under way (task_queue_take_outcome follows). */
	bool (*begin_here)(struct process *process);
	/* In the shim, before, once the state allows it. */
	int (*prepare)(struct process *process, struct error *err);
	/* In the shim: run has succeeded. Takes of outcome's descriptors what is its own (steal_fd). */
	int (*finish)(struct process *process, struct worker_outcome *outcome, struct error *err);
	/* In the shim: it has failed. outcome_is_known: false where the worker died: then anything may have happened. */
	void (*fail)(struct process *process, bool outcome_is_known);
	/* In the shim: it was that, and what had to be undone is. */
	void (*failed)(struct process *process);
	bool ends_process; /* there is no such process afterwards */
};

const struct job *job_of(enum job_kind kind);
