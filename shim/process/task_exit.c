#include "shim/process/task_exit.h"

#include <signal.h>
#include <stddef.h>

#include "base/log.h"
#include "shim/process/task_queue.h"
#include "shim/process/task_kill.h"

#define NS_PER_S UINT64_C(1000000000)
/* What containerd itself allows for draining on delete (shim contract, "Out-of-memory, time limits, delete"). */
#define DRAIN_TIMEOUT (10 * NS_PER_S) /* by default, as the next one: struct tasks_bounds */
/* After the init's end every process is killed; an exec that still does not end holds back the news of the end no longer. */
#define EXECS_TIMEOUT (10 * NS_PER_S)
/* What an exec whose start failed has ended with: no program has run. containerd's clients call 255 the unknown status. */
#define STATUS_UNKNOWN 255
#define READ_PAUSE_MIN UINT64_C(2000000)
#define READ_PAUSE_MAX UINT64_C(50000000)

static struct process *process_of(struct exit_entry *entry)
{
	return (struct process *)((char *)entry - offsetof(struct process, exit));
}

static void answer_waiters(struct process *process)
{
	struct task_reply *reply;

	while ((reply = process->waiters)) {
		process->waiters = reply->next;
		task_answer(reply, process, NULL);
	}
}

static void tell(struct process *process)
{
	process->is_told = true;
	task_event(process, TASK_EXITED);
	answer_waiters(process);
}

void task_exit_tell(struct task *task)
{
	struct exit_entry *entry;

	for (struct process *exec = task->execs; exec; exec = exec->next) {
		if (exec->has_failed)
			answer_waiters(exec);
	}
	while ((entry = exit_order_take(&task->order)))
		tell(process_of(entry));
	if (!task->order.first)
		loop_clear_timer(task->tasks->options.loop, &task->end_timer);
}

static void give_up(struct process *exec)
{
	if (exec->worker || exec->is_queued || exec->start.starter)
		task_queue_cancel(exec, "the container has ended");
	if (exec->state != PROCESS_RUNNING)
		return; /* its output is drained in a bounded time */
	log_error("container %s: exec %s (process %d) has not ended with it: given up", exec->task->id, exec->exec_id,
		  (int)exec->pid);
	exec->is_given_up = true;
	exit_order_remove(&exec->task->order, &exec->exit);
}

static void handle_execs_timeout(void *context)
{
	struct task *task = context;

	task_kill_report_stuck(task, "its execs do not end");
	for (struct process *exec = task->execs; exec; exec = exec->next)
		give_up(exec);
	task_wake(task);
}

void task_exit_drained(struct process *process)
{
	/* Only now it may be known that it wrote too much. */
	process->exit_status = task_limits_status(process, process->exit_status);
	if (task_limits_hold_exit(process) || task_audit_hold_exit(process))
		return;
	if (process->is_given_up) {
		tell(process);
		return;
	}
	exit_order_exit(&process->task->order, &process->exit, process->exit_status, process->exited_at);
	task_wake(process->task);
}

static void handle_drained(void *context)
{
	struct process *process = context;
	const struct tasks_options *options = &process->task->tasks->options;

	if (!options->waits_for_readers || loop_now() >= process->read_deadline || !io_is_being_read(process->io)) {
		task_exit_drained(process);
		return;
	}
	process->read_timer = (struct loop_timer){ .expired = handle_drained, .context = process };
	loop_set_timer(options->loop, &process->read_timer, loop_now() + process->read_pause);
	if (process->read_pause < READ_PAUSE_MAX)
		process->read_pause *= 2;
}

/* With a pid namespace of its own the kernel has ended what the container ran; in one that it shares (a pod's, the host's) nobody
 * has. */
static void end_container(struct task *task)
{
	uint64_t bound = task->tasks->options.bounds.execs ?: EXECS_TIMEOUT;
	struct error err = { 0 };

	task_oom_end(task);
	task_denials_end(task);
	task_limits_end(task);
	if (task->group && brig_group_kill(task->group, /* exec_id= */ NULL, &err) < 0)
		log_warning("container %s: what its first process left was not killed: %s", task->id, err.message);
	for (struct process *exec = task->execs; exec; exec = exec->next) {
		exec->is_killed = true;
		reaper_signal(&exec->child, SIGKILL);
	}
	task->end_timer = (struct loop_timer){ .expired = handle_execs_timeout, .context = task };
	loop_set_timer(task->tasks->options.loop, &task->end_timer, loop_now() + bound);
}

static void end_exec(struct process *exec)
{
	struct brig_group *group = exec->task->group;
	struct error err = { 0 };

	if (!group)
		return;
	if (exec->is_killed && brig_group_kill(group, exec->exec_id, &err) < 0)
		log_warning("container %s: what exec %s left was not killed: %s", exec->task->id, exec->exec_id,
			    err.message);
	if (brig_group_release(group, exec->exec_id, &err) < 0)
		log_debug("container %s: the control group of exec %s stays for now: %s", exec->task->id, exec->exec_id,
			  err.message);
}

static void handle_exit(void *context, int status, struct timespec at)
{
	struct process *process = context;
	uint64_t drain_time = process->task->tasks->options.bounds.drain ?: DRAIN_TIMEOUT;
	struct state_step step;

	if (!task_start_hear_last(process)) {
		end_exec(process);
		task_start_fail(process);
		return;
	}
	if (state_step(process->kind, process->state, PROCESS_EXITED, &step, NULL) < 0 || !step.act)
		return;
	process->state = step.next;
	process->exit_status = task_limits_status(process, status);
	process->exited_at = at;
	loop_clear_timer(process->task->tasks->options.loop, &process->kill_timer);
	if (process->kind == PROCESS_INIT)
		end_container(process->task);
	else
		end_exec(process);
	/* One that ends before its start, or while that is under way: the answer to the start comes first. */
	if (!task_queue_is_starting(process))
		task_exit_announce(process);
	process->read_deadline = loop_now() + drain_time;
	process->read_pause = READ_PAUSE_MIN;
	io_finish(process->io, drain_time, handle_drained, process);
}

int task_exit_watch(struct process *process, struct brig_process *made, struct error *err)
{
	int r;

	process->child = (struct reaper_child){ .exited = handle_exit, .context = process, .pidfd = -EBADF };
	r = reaper_watch(process->task->tasks->reaper, &process->child, made->pid, made->pidfd, err);
	if (r < 0)
		return r;
	steal_fd(&made->pidfd);
	process->pid = made->pid;
	process->audit.is_wanted = made->is_audited;
	return 0;
}

int task_exit_begin_streams(struct process *process, struct error *err)
{
	int r = io_begin(process->io, err);

	if (r >= 0 && process->in_closed)
		io_close_in(process->io);
	return r;
}

void task_exit_announce(struct process *process)
{
	exit_order_announce(&process->exit);
	task_wake(process->task);
}

void task_exit_start_failed(struct process *exec)
{
	exec->has_failed = true;
	exec->exit_status = STATUS_UNKNOWN;
	clock_gettime(CLOCK_REALTIME, &exec->exited_at);
	task_wake(exec->task);
}

void task_exit_start_again(struct process *exec)
{
	exec->has_failed = false;
	exec->exit_status = 0;
	exec->exited_at = (struct timespec){ 0 };
	exec->audit.is_wanted = false;
}

void task_exit_wait(struct process *process, struct task_reply *reply)
{
	if (process->is_told || process->has_failed) {
		task_answer(reply, process, NULL);
		return;
	}
	reply->next = process->waiters;
	process->waiters = reply;
}
