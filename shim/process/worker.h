/* One request of the runtime in a forked process of its own: a crash, a leak or a hang in it can't hurt the shim. What the
 * runtime needs for parsing and compiling is never resident in the shim. See docs/adr/0007. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "container/brig.h"
#include "shim/process/reaper.h"

/* What comes back, in one message; for those jobs that make a process, with its pidfd. */
struct worker_outcome {
	bool has_returned;	     /* the worker lived to tell: what it reports it has undone itself */
	struct brig_process process; /* pid 0 and pidfd -EBADF where none was made; denials_fd may come without one */
	struct brig_limits limits;
	int output_fds[2]; /* of pipes that the process writes to, or -EBADF: see io_bound */
};

struct worker;

struct worker_options {
	struct loop *loop;
	struct reaper *reaper;
	/* In the forked process, first; or NULL: brings what the work needs of the shim's descriptors to 0, 1 and 2. All others but
	 * keep_fd (or -EBADF) and the log are closed afterwards. */
	int (*enter)(const void *context, struct error *err);
	int keep_fd;
	/* In the forked process: does the work, and fills outcome. No signal is ignored, blocked or has a handler; the process ends with the return, and with
	 * the shim. */
	int (*run)(const void *context, struct worker_outcome *outcome, struct error *err);
	const void *context; /* of enter and run: as it is at worker_start */
	uint64_t timeout;    /* nanoseconds: then it is killed */
	/* In the shim, once: err NULL for success. The callee takes what it wants of outcome's descriptors (steal_fd). A worker that crashed, was killed or ran out of
	 * time gives an error that says so (ERROR_TIMEOUT, ERROR_INTERNAL). The worker is freed afterwards. */
	void (*done)(void *owner, struct worker_outcome *outcome, const struct error *err);
	void *owner;
};

#define WORKER_OUTCOME_NONE                                                                                   \
	((struct worker_outcome){ .process = { .pidfd = -EBADF, .denials_fd = -EBADF, .newborn_fd = -EBADF }, \
				  .output_fds = { -EBADF, -EBADF } })

/* Returns 0 or a negative errno with err set: `done` is not called then. */
int worker_start(const struct worker_options *options, struct worker **ret, struct error *err);
/* Kills it; `done` is not called. */
void worker_cancel(struct worker *worker);
