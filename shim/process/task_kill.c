#include "shim/process/task_kill.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/log.h"
#include "shim/process/task_queue.h"

#define KILL_TIMEOUT UINT64_C(10000000000) /* by default: struct tasks_bounds */
#define NS_PER_MS UINT64_C(1000000)
#define STUCK_TEXT_MAX ((size_t)16 * 1024)

/* NULL, as brig_group.h has it for a whole container. */
static const char *group_of(const struct process *process)
{
	return process->kind == PROCESS_INIT ? NULL : process->exec_id;
}

/* To the log: who asked is told that there is something to be read there. */
void task_kill_report_stuck(struct task *task, const char *why)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { .limit = STUCK_TEXT_MAX };
	struct error err = { 0 };

	if (task->group && brig_group_stuck(task->group, &text, &err) < 0)
		log_error("container %s: %s; which process is stuck is not known: %s", task->id, why, err.message);
	else if (text.length > 0)
		log_error("container %s: %s; in uninterruptible sleep: %s", task->id, why, text.data);
	else
		log_error("container %s: %s; none of its processes is in uninterruptible sleep", task->id, why);
}

/* Tests have shorter ones. */
static uint64_t bound_of(const struct process *process)
{
	return process->task->tasks->options.bounds.kill ?: KILL_TIMEOUT;
}

/* Tried again, since a process may have come into the group meanwhile; and whoever waits for the end is told. */
static void handle_still_alive(void *context)
{
	struct process *process = context;
	char why[64];

	task_kill_now(process);
	snprintf(why, sizeof(why), "SIGKILL has not worked for %" PRIu64 " ms", bound_of(process) / NS_PER_MS);
	task_kill_report_stuck(process->task, why);
	task_queue_kill_failed(process);
}

/* By the group for what it started, and by pidfd for itself: it may have been moved out of the group. */
void task_kill_now(struct process *process)
{
	struct error err = { 0 };

	process->is_killed = true;
	if (process->task->group && brig_group_kill(process->task->group, group_of(process), &err) < 0)
		log_warning("container %s: kill its control group: %s", process->task->id, err.message);
	reaper_signal(&process->child, SIGKILL);
	if (process->kill_timer.is_active || process->child.pid == 0)
		return;
	process->kill_timer = (struct loop_timer){ .expired = handle_still_alive, .context = process };
	loop_set_timer(process->task->tasks->options.loop, &process->kill_timer, loop_now() + bound_of(process));
}

/* Without a group there is no list of a container's processes that could not have changed by the time it is used. */
static int send_to_group(struct process *process, int signal, struct error *err)
{
	if (!process->task->group)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "signal every process: the container has no control group");
	return brig_group_signal(process->task->group, group_of(process), signal, err);
}

int task_kill_send(struct process *process, int signal, bool all, struct error *err)
{
	int r;

	if (signal == SIGKILL) {
		r = reaper_signal(&process->child, 0);
		if (r >= 0)
			task_kill_now(process);
	} else if (all) {
		return send_to_group(process, signal, err);
	} else {
		r = reaper_signal(&process->child, signal);
	}
	if (r == -ESRCH)
		return error_set(err, ERROR_NOT_FOUND, ESRCH, "process already finished");
	return r < 0 ? error_system(err, -r, "send signal %d to process %d", signal, (int)process->pid) : 0;
}
