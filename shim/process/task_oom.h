/* Watches a container for processes that were killed for memory. */
#pragma once

#include <stdint.h>

#include "shim/loop/loop.h"

struct task;

struct task_oom { /* a member of its task */
	struct loop_watch watch;
	struct loop_timer pause;
	int fd;
	uint32_t events;
	uint64_t seen;
};

/* Once the control group is there, before anything runs in it. Without a memory controller nothing is watched. */
void task_oom_begin(struct task *task);
/* Tells TASK_OOM if more were killed than it knew of. */
void task_oom_check(struct task *task);
/* A last look, and the watch ends. Nothing happens where it has ended. */
void task_oom_end(struct task *task);
/* Without a look. */
void task_oom_close(struct task *task);
