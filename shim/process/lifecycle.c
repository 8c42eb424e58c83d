#include "shim/process/lifecycle.h"

#include "base/log.h"
#include "shim/process/job.h"
#include "shim/process/task_exit.h"
#include "shim/process/task_kill.h"

/* Its end may have been seen while the request was under way: that stays. */
static void enter_state(struct process *process, enum process_state state)
{
	if (process->state != PROCESS_STOPPED)
		process->state = state;
}

static int open_group(struct task *task, const struct brig_process *made, struct error *err)
{
	int r;

	if (made->cgroup_path[0] == '\0')
		return 0; /* control groups are turned off */
	r = brig_group_open(made, &task->group, err);
	return r < 0 ? error_prefix(err, "open the control group") : 0;
}

int lifecycle_created(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	struct task *task = init->task;
	int r = task_limits_take(init, outcome, err);

	if (r >= 0)
		r = task_exit_watch(init, &outcome->process, err);
	if (r >= 0)
		r = task_exit_begin_streams(init, err);
	if (r >= 0)
		r = open_group(task, &outcome->process, err);
	if (r < 0)
		return r;
	task_oom_begin(task);
	init->start.is_simple = outcome->process.starts_simply;
	task->is_made = true;
	task_event(init, TASK_CREATED);
	return 0;
}

void lifecycle_create_failed(struct process *init, bool outcome_is_known)
{
	if (outcome_is_known)
		return;
	/* The undo ends it anyway; nothing of it is to run until then. */
	task_kill_now(init);
	loop_clear_timer(init->task->tasks->options.loop, &init->kill_timer);
	reaper_forget(init->task->tasks->reaper, &init->child);
}

int lifecycle_started(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)outcome;
	(void)err;
	enter_state(init, PROCESS_RUNNING);
	task_event(init, TASK_STARTED);
	task_limits_begin(init->task);
	task_exit_announce(init);
	return 0;
}

void lifecycle_start_failed(struct process *init, bool outcome_is_known)
{
	/* It may run, and the caller is told that it does not. */
	if (!outcome_is_known)
		task_kill_now(init);
	if (init->state == PROCESS_STOPPED)
		task_exit_announce(init);
}

int lifecycle_prepare_exec(struct process *exec, struct error *err)
{
	struct task *task = exec->task;
	struct state_step step;
	int r = state_step(PROCESS_INIT, task->init.state, PROCESS_ASKED_EXEC, &step, err);

	task_exit_start_again(exec);
	if (r >= 0)
		r = task_open_streams(exec, err);
	if (r < 0)
		return r;
	exit_order_add(&task->order, &exec->exit, PROCESS_EXEC);
	return 0;
}

/* Its process is made. */
static int take_newborn(struct process *exec, struct brig_process *made, struct error *err)
{
	bool waits = made->newborn_fd >= 0;
	int r;

	/* It is in the audit trail, whatever becomes of it. */
	exec->start.pid = made->pid;
	exec->audit.is_wanted = made->is_audited;
	r = task_exit_watch(exec, made, err);
	/* The container ended while it was made: what shares the host's pid namespace would outlive it. */
	if (r >= 0 && exec->task->init.state == PROCESS_STOPPED)
		task_kill_now(exec);
	if (r >= 0 && waits)
		r = task_start_follow(exec, made, err);
	if (r < 0)
		return r;
	return waits ? JOB_WAITS : 0;
}

int lifecycle_exec_started(struct process *exec, struct worker_outcome *outcome, struct error *err)
{
	int r = outcome->process.pid > 0 ? take_newborn(exec, &outcome->process, err) : 0;

	if (r == 0)
		r = task_exit_begin_streams(exec, err);
	if (r != 0)
		return r;
	free(steal_ptr(&exec->process_json));
	exec->process_length = 0;
	exec->state = PROCESS_RUNNING;
	task_event(exec, TASK_EXEC_STARTED);
	task_exit_announce(exec);
	return 0;
}

void lifecycle_exec_failed(struct process *exec, bool outcome_is_known)
{
	struct task *task = exec->task;
	struct error err = { 0 };

	if (!outcome_is_known) {
		task_kill_now(exec);
		reaper_forget(task->tasks->reaper, &exec->child);
	}
	loop_clear_timer(task->tasks->options.loop, &exec->kill_timer);
	exec->is_killed = false;
	exec->pid = 0;
	if (!outcome_is_known && task->group && brig_group_release(task->group, exec->exec_id, &err) < 0)
		log_debug("container %s: the control group of exec %s stays for now: %s", task->id, exec->exec_id,
			  err.message);
	task_denials_forget(exec);
	io_free(steal_ptr(&exec->io));
}

/* Not before its line is in the audit trail: neither who waits for it nor its container's end comes first. */
void lifecycle_exec_over(struct process *exec)
{
	exit_order_remove(&exec->task->order, &exec->exit);
	task_exit_start_failed(exec);
}

int lifecycle_prepare_delete(struct process *process, struct error *err)
{
	(void)err;
	if (process->is_told)
		return 0;
	if (process->kind == PROCESS_EXEC)
		return process->state == PROCESS_CREATED ? 0 : JOB_WAITS;
	if (process->state == PROCESS_CREATED)
		task_kill_now(process);
	return JOB_WAITS;
}

int lifecycle_deleted(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)init;
	(void)outcome;
	(void)err;
	return 0;
}

int lifecycle_paused(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)outcome;
	(void)err;
	enter_state(init, PROCESS_PAUSED);
	task_event(init, TASK_PAUSED);
	return 0;
}

int lifecycle_resumed(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)outcome;
	(void)err;
	enter_state(init, PROCESS_RUNNING);
	task_event(init, TASK_RESUMED);
	return 0;
}

/* Unless it was to go on it is gone: the reaper tells. */
int lifecycle_checkpointed(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)outcome;
	(void)err;
	task_event(init, TASK_CHECKPOINTED);
	return 0;
}

int lifecycle_updated(struct process *init, struct worker_outcome *outcome, struct error *err)
{
	(void)init;
	(void)outcome;
	(void)err;
	return 0;
}
