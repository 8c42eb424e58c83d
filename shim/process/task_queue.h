/* What is asked of a process and needs the runtime: served one after the other, each in a worker (job.h), with the undo of what
 * a worker that died has left. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "shim/process/job.h"
#include "shim/process/task.h"

#define TASK_QUEUE_MAX 128 /* of one process */

struct task_request {
	const struct job *job;
	struct task_reply *reply; /* NULL: nobody waits for it (any more) */
	char *text;		  /* of an update; what the images' paths lie in */
	size_t length;
	struct brig_images images; /* of a checkpoint */
	struct error failure;	   /* told once what was done is undone */
	bool is_undoing;
	struct task_request *next;
};

/* text: copied, or NULL. Served at once where no other request of the process waits. Returns 0, or a negative errno with err set where it was
 * refused: the reply is not called then. */
int task_queue_submit(struct process *process, enum job_kind kind, struct task_reply *reply, struct error *err);
int task_queue_submit_text(struct process *process, const struct task_update *update, struct task_reply *reply,
			   struct error *err);
int task_queue_submit_images(struct process *process, const struct brig_images *images, struct task_reply *reply,
			     struct error *err);
/* From the loop: what waits for an exit that is told by now, and what another request was in front of. */
void task_queue_serve_waiting(struct task *task);
/* From the loop, once a worker has ended: those that wait for one. context: the tasks. */
void task_queue_take_turns(void *context);
/* The first one is a start, and under way. */
bool task_queue_is_starting(const struct process *process);
/* The one that is under way fails: its worker is killed, and what it left is undone. */
void task_queue_cancel(struct process *process, const char *why);
/* What the first one, which is under way, came to, and what follows from that. err: NULL for success. */
void task_queue_take_outcome(struct process *process, struct worker_outcome *outcome, const struct error *err);
/* A delete that waits for the end of the process need not wait any longer. */
void task_queue_kill_failed(struct process *process);
/* All fail: the process is given up. Workers are killed. */
void task_queue_drop_all(struct process *process, const struct error *err);
/* Nobody waits for reply any more. */
void task_queue_abandon(struct process *process, const struct task_reply *reply);
