/* The end of a start, told to the shim itself by the process that is about to run its program: a container's first process that the shim
 * tells to go on, without a worker; an exec's process, which its worker has let go. The loop hears what becomes of it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "shim/loop/loop.h"

struct brig_process;
struct process;
struct starter;

struct task_start {
	bool is_simple;		 /* init: nothing is to be read, recorded or run for it (brig.h) */
	struct starter *starter; /* under way: from begin or follow until task_queue_take_outcome follows */
	struct loop_watch watch;
	struct loop_timer timer; /* the next look at it, until deadline */
	uint64_t deadline;
	unsigned n_heard;
	struct error failure; /* of an exec: its process is about to end */
	pid_t pid;	      /* of an exec's process that was made, whatever becomes of it */
};

/* Returns whether it is under way: task_queue_take_outcome follows. Otherwise a worker has to do it. */
bool task_start_begin(struct process *init);
/* The same for an exec whose process, which the reaper watches, is made. Takes made->newborn_fd with success. */
int task_start_follow(struct process *exec, struct brig_process *made, struct error *err);
/* Where the process of an exec has ended: what it said before is heard first. Returns false where its program has not run, and
 * task_start_fail is to follow. */
bool task_start_hear_last(struct process *process);
/* Of an exec whose process is gone. */
void task_start_fail(struct process *exec);
/* It is not heard of any more; the container stays as it is. */
void task_start_cancel(struct process *process);
