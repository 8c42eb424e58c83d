#include "shim/process/task_limits.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/quantity.h"
#include "shim/process/task.h"
#include "shim/process/task_exit.h"
#include "shim/process/task_kill.h"

/* A file on the host, a line: what takes longer than this holds back the news of the end for no good reason. */
#define LAST_WORDS_TIMEOUT UINT64_C(5000000000)

int task_limits_decide(const struct process *init, const struct brig_limits *limits, struct worker_outcome *outcome,
		       struct error *err)
{
	outcome->limits = *limits;
	if (limits->max_output == 0)
		return 0;
	return io_bound(init->io, outcome->output_fds, err);
}

int task_limits_take(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	int fds[ARRAY_SIZE(outcome->output_fds)];

	init->task->limits.limits = outcome->limits;
	if (outcome->limits.max_output == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = steal_fd(&outcome->output_fds[i]);
	return io_limit(init->io, outcome->limits.max_output, fds, err);
}

static const char *source(bool by_site, const char *annotation)
{
	return by_site ? "the site's policy" : annotation;
}

/* For people: in the termination log, where kubectl shows it, and in the shim's. */
static void describe(struct task_limits *limits, enum task_limit reached)
{
	const struct brig_limits *values = &limits->limits;
	char time[QUANTITY_TEXT_MAX];

	if (reached == TASK_LIMIT_TIMEOUT)
		snprintf(limits->text, sizeof(limits->text), "brig: ended after %s (%s)",
			 quantity_format_duration(values->timeout, time),
			 source(values->timeout_by_site, "annotation brig.dev/timeout"));
	else
		snprintf(limits->text, sizeof(limits->text),
			 "brig: ended after more than %" PRIu64 " bytes of output (%s)", values->max_output,
			 source(values->max_output_by_site, "annotation brig.dev/max-output"));
}

static void tell(const struct process *process, enum task_limit reached)
{
	const struct tasks_options *options = &process->task->tasks->options;
	struct task_info info = task_info(process);

	if (options->ended_by_limit)
		options->ended_by_limit(options->context, reached, &info, process->task->limits.text);
}

/* In a worker: it writes to a file that the container's author has chosen by a mount. */
static int run_last_words(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct task *task = context;

	(void)outcome;
	return brig_write_last_words(&task->tasks->options.brig, task->id, task->limits.text, err);
}

static void handle_last_words(void *owner, struct worker_outcome *outcome, const struct error *err)
{
	struct task *task = owner;

	(void)outcome;
	task->limits.worker = NULL;
	if (err && err->kind == ERROR_NOT_FOUND)
		log_debug("container %s: last words: %s", task->id, err->message);
	else if (err)
		log_warning("container %s: last words: %s", task->id, err->message);
	if (!task->limits.holds_exit)
		return;
	task->limits.holds_exit = false;
	task_exit_drained(&task->init);
}

/* What the kubelet shows as the reason of the end has to be there before the end is told. Without it the container ends all the same. */
static void leave_last_words(struct task *task)
{
	const struct worker_options options = {
		.loop = task->tasks->options.loop,
		.reaper = task->tasks->reaper,
		.keep_fd = -EBADF,
		.run = run_last_words,
		.context = task,
		.timeout = LAST_WORDS_TIMEOUT,
		.done = handle_last_words,
		.owner = task,
	};
	struct error err = { 0 };

	if (worker_start(&options, &task->limits.worker, &err) < 0)
		log_warning("container %s: last words: %s", task->id, err.message);
}

static void end_container(struct task *task, enum task_limit reached)
{
	struct process *init = &task->init;

	if (task->limits.reached != TASK_LIMIT_NONE || init->is_told)
		return;
	describe(&task->limits, reached);
	task->limits.reached = reached;
	if (init->state != PROCESS_STOPPED)
		task_kill_now(init);
	tell(init, reached);
	leave_last_words(task);
}

static void handle_timeout(void *context)
{
	end_container(context, TASK_LIMIT_TIMEOUT);
}

/* A container that ended while its start was under way has no time left to count. */
void task_limits_begin(struct task *task)
{
	struct task_limits *limits = &task->limits;

	if (limits->limits.timeout == 0 || task->init.state == PROCESS_STOPPED)
		return;
	limits->timer = (struct loop_timer){ .expired = handle_timeout, .context = task };
	loop_set_timer(task->tasks->options.loop, &limits->timer, loop_now() + limits->limits.timeout);
}

void task_limits_end(struct task *task)
{
	loop_clear_timer(task->tasks->options.loop, &task->limits.timer);
}

void task_limits_overflowed(void *context)
{
	struct process *process = context;

	if (process->kind == PROCESS_INIT) {
		end_container(process->task, TASK_LIMIT_MAX_OUTPUT);
		return;
	}
	if (process->is_overflowed || process->is_told)
		return;
	process->is_overflowed = true;
	describe(&process->task->limits, TASK_LIMIT_MAX_OUTPUT);
	if (process->state != PROCESS_STOPPED)
		task_kill_now(process);
	tell(process, TASK_LIMIT_MAX_OUTPUT);
}

/* Whatever it made of being killed: who asks has to see that it was ended, and by what. */
int task_limits_status(const struct process *process, int status)
{
	if (process->kind == PROCESS_EXEC)
		return process->is_overflowed ? BRIG_STATUS_KILLED : status;
	switch (process->task->limits.reached) {
	case TASK_LIMIT_NONE:
		return status;
	case TASK_LIMIT_TIMEOUT:
		return BRIG_STATUS_TIMEOUT;
	case TASK_LIMIT_MAX_OUTPUT:
		return BRIG_STATUS_KILLED;
	}
	return status;
}

/* As long as the worker with the last words is under way. */
bool task_limits_hold_exit(struct process *process)
{
	struct task_limits *limits = &process->task->limits;

	if (process->kind != PROCESS_INIT || !limits->worker)
		return false;
	limits->holds_exit = true;
	return true;
}

void task_limits_close(struct task *task)
{
	task_limits_end(task);
	if (task->limits.worker)
		worker_cancel(task->limits.worker);
	task->limits.worker = NULL;
}
