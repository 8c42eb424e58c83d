#include "shim/process/task_audit.h"

#include "base/log.h"
#include "shim/process/task.h"
#include "shim/process/task_exit.h"

/* The runtime waits for two seconds at most for its turn in the trail. */
#define TIMEOUT UINT64_C(10000000000)

/* As the trail's schema has it. */
static const char *limit_name(const struct process *process)
{
	if (process->kind == PROCESS_EXEC)
		return process->is_overflowed ? "max-output" : NULL;
	switch (process->task->limits.reached) {
	case TASK_LIMIT_NONE:
		break;
	case TASK_LIMIT_TIMEOUT:
		return "timeout";
	case TASK_LIMIT_MAX_OUTPUT:
		return "max-output";
	}
	return NULL;
}

/* A line that can't be written is a warning: the process has ended either way. */
static void record(const struct process *process)
{
	const struct brig_exit exit = {
		.id = process->task->id,
		.exec_id = process->kind == PROCESS_EXEC ? process->exec_id : NULL,
		.pid = process->pid,
		.status = process->exit_status,
		.at = process->exited_at,
		.ended_by = limit_name(process),
		.denials = task_denials_counted(process),
	};
	struct error err = { 0 };

	if (brig_record_exit(&process->task->tasks->options.brig, &exit, &err) < 0)
		log_warning("container %s: its end is not in the audit trail: %s", exit.id, err.message);
}

/* In the worker: the list as it was when that began. */
static int run(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct tasks *tasks = context;

	(void)outcome;
	(void)err;
	for (const struct process *process = tasks->first_audited; process; process = process->audit.next)
		record(process);
	return 0;
}

static void unlink_process(struct process *process)
{
	struct process **place = &process->task->tasks->first_audited;

	while (*place != process)
		place = &(*place)->audit.next;
	*place = process->audit.next;
	process->audit = (struct task_audit){ 0 };
}

/* In order: those that came while the worker was under way are behind the others. */
static void let_go(struct tasks *tasks)
{
	while (tasks->first_audited && tasks->first_audited->audit.is_under_way) {
		struct process *process = tasks->first_audited;

		unlink_process(process);
		task_exit_drained(process);
	}
}

static void handle_written(void *owner, struct worker_outcome *outcome, const struct error *err);

/* One worker for all that wait by now: of execs at ten a second, each would wake one. */
static int start(struct tasks *tasks)
{
	const struct worker_options options = {
		.loop = tasks->options.loop,
		.reaper = tasks->reaper,
		.keep_fd = -EBADF,
		.run = run,
		.context = tasks,
		.timeout = TIMEOUT,
		.done = handle_written,
		.owner = tasks,
	};
	struct error err = { 0 };
	int r = worker_start(&options, &tasks->audit_worker, &err);

	if (r < 0)
		log_warning("the audit trail lacks the end of processes: %s", err.message);
	for (struct process *process = tasks->first_audited; process; process = process->audit.next)
		process->audit.is_under_way = true;
	return r;
}

static void handle_written(void *owner, struct worker_outcome *outcome, const struct error *err)
{
	struct tasks *tasks = owner;

	(void)outcome;
	tasks->audit_worker = NULL;
	if (err)
		log_warning("the audit trail may lack the end of processes: %s", err->message);
	let_go(tasks);
	if (tasks->first_audited && start(tasks) < 0)
		let_go(tasks);
}

bool task_audit_hold_exit(struct process *process)
{
	struct tasks *tasks = process->task->tasks;
	struct process **last = &tasks->first_audited;

	if (!process->audit.is_wanted || process->audit.is_waiting)
		return process->audit.is_waiting;
	while (*last)
		last = &(*last)->audit.next;
	*last = process;
	process->audit.is_waiting = true;
	if (tasks->audit_worker || start(tasks) >= 0)
		return true;
	unlink_process(process);
	return false;
}

/* A worker that is under way has its own copy of the list (fork). */
void task_audit_forget(struct process *process)
{
	if (process->audit.is_waiting)
		unlink_process(process);
}

void task_audit_close(struct tasks *tasks)
{
	if (tasks->audit_worker)
		worker_cancel(tasks->audit_worker);
	tasks->audit_worker = NULL;
}
