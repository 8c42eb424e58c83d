#include "shim/process/task_start.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "container/starter.h"
#include "shim/process/job.h"
#include "shim/process/task.h"
#include "shim/process/task_queue.h"

#define NS_PER_MS UINT64_C(1000000)
/* A listener, a warning or two, and why. What belongs to the container may have got hold of the other end. */
#define WORDS_MAX 64

static void finish(struct process *process, bool outcome_is_known, const struct error *err)
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;

	outcome.has_returned = outcome_is_known;
	task_start_cancel(process);
	task_queue_take_outcome(process, &outcome, err);
}

/* Its calls wait for somebody who answers, execve(2) among them. */
static void take_listener(struct process *process, int denials_fd)
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;

	outcome.process.denials_fd = denials_fd;
	task_denials_take(process, &outcome);
}

/* An exec's process is gone, and its group empty, before anybody is told: what it was started for may be tried again at once. */
static void fail(struct process *process, const struct error *err)
{
	struct task_start *start = &process->start;

	if (process->kind == PROCESS_INIT) {
		finish(process, /* outcome_is_known= */ true, err);
		return;
	}
	start->failure = *err;
	loop_unwatch(process->task->tasks->options.loop, &start->watch);
	reaper_signal(&process->child, SIGKILL);
}

/* One message at a time: however many there are, others are served in between. */
static enum starter_answer hear(struct process *process, struct error *err)
{
	int denials_fd;
	enum starter_answer answer = starter_answer(process->start.starter, &denials_fd, err);

	if (answer == STARTER_WAITS)
		take_listener(process, denials_fd);
	if (answer != STARTER_WAITS || ++process->start.n_heard < WORDS_MAX)
		return answer;
	error_set(err, ERROR_INTERNAL, EPROTO, "process %d was heard %d times, and has not said that its program runs",
		  (int)process->pid, WORDS_MAX);
	return STARTER_ASTRAY;
}

static void handle_answer(void *context, uint32_t events)
{
	struct process *process = context;
	struct error err = { 0 };

	(void)events;
	switch (hear(process, &err)) {
	case STARTER_WAITS:
		break;
	case STARTER_RUNS:
		finish(process, /* outcome_is_known= */ true, NULL);
		break;
	case STARTER_FAILED:
		fail(process, &err);
		break;
	case STARTER_ASTRAY:
		finish(process, /* outcome_is_known= */ false, &err);
		break;
	}
}

static uint64_t bound_of(const struct process *process)
{
	const struct tasks_bounds *bounds = &process->task->tasks->options.bounds;

	return bounds->start ?: job_of(process->kind == PROCESS_INIT ? JOB_START : JOB_EXEC_START)->timeout;
}

/* Past the shim: by brig pause, or whoever may write to its control group. */
static bool is_frozen(const struct task *task)
{
	return task->group && brig_group_is_frozen(task->group);
}

static void time_out(struct process *process)
{
	struct error err = { 0 };

	if (!process->start.failure.kind && starter_has_executed(process->start.starter)) {
		log_warning("container %s: somebody keeps process %d from telling that its program runs",
			    process->task->id, (int)process->pid);
		finish(process, /* outcome_is_known= */ true, NULL);
		return;
	}
	error_set(&err, ERROR_TIMEOUT, ETIMEDOUT,
		  "process %d was told to start, and has not said within %" PRIu64 " ms that its program runs%s",
		  (int)process->pid, bound_of(process) / NS_PER_MS,
		  is_frozen(process->task) ? ": its control group is frozen" : "");
	finish(process, /* outcome_is_known= */ false, process->start.failure.kind ? &process->start.failure : &err);
}

static void handle_timer(void *context);

static void set_timer(struct process *process)
{
	struct task_start *start = &process->start;
	uint64_t look = loop_now() + STARTER_LOOK_MS * NS_PER_MS;

	start->timer = (struct loop_timer){ .expired = handle_timer, .context = process };
	loop_set_timer(process->task->tasks->options.loop, &start->timer,
		       look < start->deadline ? look : start->deadline);
}

/* What shares its pid namespace may be able to stop it: it would say nothing more. */
static void handle_timer(void *context)
{
	struct process *process = context;
	struct task_start *start = &process->start;
	struct error err = { 0 };
	bool is_stopped = !start->failure.kind && starter_look(start->starter, &err) < 0;

	if (is_stopped && process->kind == PROCESS_INIT) {
		/* Somebody could let it go on when we have said that it did not start. */
		finish(process, /* outcome_is_known= */ false, &err);
		return;
	}
	if (is_stopped)
		fail(process, &err);
	if (loop_now() < start->deadline)
		set_timer(process);
	else
		time_out(process);
}

/* It was told already: what can't be heard ends by the timer. */
static void listen_to(struct process *process, uint32_t events)
{
	struct task_start *start = &process->start;
	struct loop *loop = process->task->tasks->options.loop;
	struct error err = { 0 };

	start->failure = (struct error){ 0 };
	start->n_heard = 0;
	start->watch = (struct loop_watch){ .ready = handle_answer, .context = process };
	if (loop_watch(loop, &start->watch, starter_fd(start->starter), events, &err) < 0)
		log_error("container %s: the start of process %d is not heard of: %s", process->task->id,
			  (int)process->pid, err.message);
	start->deadline = loop_now() + bound_of(process);
	set_timer(process);
}

/* One that is frozen would not hear of it: the worker finds that as well, and refuses. */
bool task_start_begin(struct process *init)
{
	const struct task *task = init->task;

	if (!init->start.is_simple || is_frozen(task) ||
	    starter_new(&task->tasks->options.brig, task->id, init->pid, &init->start.starter) < 0)
		return false;
	listen_to(init, EPOLLIN);
	return true;
}

int task_start_follow(struct process *exec, struct brig_process *made, struct error *err)
{
	const struct task *task = exec->task;
	int r = starter_new_exec(task->id, task->init.pid, made, &exec->start.starter);

	if (r < 0)
		return error_system(err, -r, "listen to process %d", (int)made->pid);
	steal_fd(&made->newborn_fd);
	/* Its end is told without asking. */
	listen_to(exec, made->may_pass_listener ? EPOLLIN : 0);
	return 0;
}

bool task_start_hear_last(struct process *process)
{
	struct task_start *start = &process->start;
	enum starter_answer answer = STARTER_WAITS;

	if (process->kind == PROCESS_INIT || !start->starter)
		return true;
	while (answer == STARTER_WAITS && !start->failure.kind)
		answer = hear(process, &start->failure);
	if (answer == STARTER_RUNS)
		finish(process, /* outcome_is_known= */ true, NULL);
	else if (!start->failure.kind)
		error_set(&start->failure, ERROR_INTERNAL, EPROTO, "its process has ended without a last word");
	return answer == STARTER_RUNS;
}

void task_start_fail(struct process *exec)
{
	struct error failure = exec->start.failure;

	finish(exec, /* outcome_is_known= */ true, &failure);
}

void task_start_cancel(struct process *process)
{
	struct task_start *start = &process->start;
	struct loop *loop = process->task->tasks->options.loop;

	if (!start->starter)
		return;
	loop_unwatch(loop, &start->watch);
	loop_clear_timer(loop, &start->timer);
	starter_free(steal_ptr(&start->starter));
}
