/* Start of a container's first process without a worker: the shim itself tells it to go on, and the loop hears what becomes of it. */
#pragma once

#include <stdbool.h>

#include "shim/loop/loop.h"

struct process;
struct starter;

struct task_start {
	bool is_simple; /* nothing is to be read, recorded or run for it (brig.h) */
	struct starter *starter;
	struct loop_watch watch;
	struct loop_timer timer;
};

/* Returns whether it is under way: task_queue_take_outcome follows. Otherwise a worker has to do it. */
bool task_start_begin(struct process *init);
/* It is not heard of any more; the container stays as it is. */
void task_start_cancel(struct process *process);
