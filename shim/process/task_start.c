#include "shim/process/task_start.h"

#include <inttypes.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "container/starter.h"
#include "shim/process/job.h"
#include "shim/process/task.h"
#include "shim/process/task_queue.h"

#define NS_PER_MS UINT64_C(1000000)

static void finish(struct task *task, bool outcome_is_known, const struct error *err)
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;

	outcome.has_returned = outcome_is_known;
	task_start_cancel(&task->init);
	task_queue_take_outcome(&task->init, &outcome, err);
}

/* Its calls wait for somebody who answers, execve(2) among them. */
static void take_listener(struct process *init, int denials_fd)
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;

	outcome.process.denials_fd = denials_fd;
	task_denials_take(init, &outcome);
}

/* One message at a time: however many there are, others are served in between. */
static void handle_answer(void *context, uint32_t events)
{
	struct task *task = context;
	struct error err = { 0 };
	int denials_fd;

	(void)events;
	switch (starter_answer(task->start.starter, &denials_fd, &err)) {
	case STARTER_WAITS:
		take_listener(&task->init, denials_fd);
		break;
	case STARTER_RUNS:
		finish(task, /* outcome_is_known= */ true, NULL);
		break;
	case STARTER_FAILED:
		finish(task, /* outcome_is_known= */ true, &err);
		break;
	case STARTER_ASTRAY:
		finish(task, /* outcome_is_known= */ false, &err);
		break;
	}
}

static uint64_t bound_of(const struct task *task)
{
	return task->tasks->options.bounds.start ?: job_of(JOB_START)->timeout;
}

/* Past the shim: by brig pause, or whoever may write to its control group. */
static bool is_frozen(const struct task *task)
{
	return task->group && brig_group_is_frozen(task->group);
}

static void handle_timeout(void *context)
{
	struct task *task = context;
	struct error err = { 0 };

	error_set(&err, ERROR_TIMEOUT, ETIMEDOUT,
		  "process %d was told to start, and has not said within %" PRIu64 " ms that its program runs%s",
		  (int)task->init.pid, bound_of(task) / NS_PER_MS,
		  is_frozen(task) ? ": its control group is frozen" : "");
	finish(task, /* outcome_is_known= */ false, &err);
}

/* One that is frozen would not hear of it: the worker finds that as well, and refuses. */
bool task_start_begin(struct process *init)
{
	struct task *task = init->task;
	struct task_start *start = &task->start;
	struct loop *loop = task->tasks->options.loop;
	struct error err = { 0 };

	if (!start->is_simple || is_frozen(task) ||
	    starter_new(&task->tasks->options.brig, task->id, init->pid, &start->starter) < 0)
		return false;
	start->watch = (struct loop_watch){ .ready = handle_answer, .context = task };
	start->timer = (struct loop_timer){ .expired = handle_timeout, .context = task };
	/* It was told already: what can't be heard ends by the timer. */
	if (loop_watch(loop, &start->watch, starter_fd(start->starter), EPOLLIN, &err) < 0)
		log_error("container %s: its start is not heard of: %s", task->id, err.message);
	loop_set_timer(loop, &start->timer, loop_now() + bound_of(task));
	return true;
}

void task_start_cancel(struct process *process)
{
	struct task *task = process->task;
	struct loop *loop = task->tasks->options.loop;

	if (process->kind != PROCESS_INIT || !task->start.starter)
		return;
	loop_unwatch(loop, &task->start.watch);
	loop_clear_timer(loop, &task->start.timer);
	starter_free(steal_ptr(&task->start.starter));
}
