#include "shim/process/job.h"

#include "shim/process/lifecycle.h"
#include "shim/process/task_queue.h"
#include "shim/process/task_start.h"

#define NS_PER_S UINT64_C(1000000000)
/* Hooks and the pulling in of images' layers are in these; containerd itself sets no bound, the kubelet waits for two minutes. */
#define LONG_TIMEOUT (60 * NS_PER_S)
/* All of a container's memory goes to a disk. */
#define IMAGES_TIMEOUT (600 * NS_PER_S)
/* Writing to control groups and to the state directory. */
#define SHORT_TIMEOUT (30 * NS_PER_S)

static const struct brig *brig_of(const struct process *process)
{
	return &process->task->tasks->options.brig;
}

static int enter_streams(const void *context, struct error *err)
{
	const struct process *process = context;
	int r = io_enter(process->io, err);

	return r < 0 ? error_prefix(err, "enter the streams") : 0;
}

struct decision {
	const struct process *init;
	struct worker_outcome *outcome;
};

static int take_decision(void *context, const struct brig_limits *limits, struct error *err)
{
	const struct decision *decision = context;

	return task_limits_decide(decision->init, limits, decision->outcome, err);
}

static int run_create(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;
	const struct task *task = init->task;
	struct decision decision = { init, outcome };
	const struct brig_images images = { .path = task->checkpoint };
	const struct brig_supervisor supervisor = {
		.console_fd = io_console_fd(init->io),
		.mounts = task->mounts,
		.n_mounts = task->n_mounts,
		.binds = task->binds,
		.n_binds = task->n_binds,
		.decided = take_decision,
		.context = &decision,
		.counts_denials = true,
	};
	const struct brig_create request = {
		.id = task->id,
		.bundle = task->bundle,
		.no_pivot = task->tasks->options.no_pivot,
		.no_new_keyring = task->tasks->options.no_new_keyring,
		.supervisor = &supervisor,
		.images = *task->checkpoint ? &images : NULL,
	};

	return brig_create(brig_of(init), &request, &outcome->process, err);
}

static int run_start(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	return brig_start_supervised(brig_of(init), init->task->id, &outcome->process.denials_fd, err);
}

static int run_exec(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *exec = context;
	const struct brig_supervisor supervisor = {
		.console_fd = io_console_fd(exec->io),
		.exec_id = exec->exec_id,
		.counts_denials = true,
	};
	const struct brig_exec request = {
		.id = exec->task->id,
		.process_json = exec->process_json,
		.process_length = exec->process_length,
		.set_tty = true, /* the streams are made for what Exec said */
		.tty = exec->terminal,
		.detach = true,
		.supervisor = &supervisor,
	};

	return brig_exec_supervised(brig_of(exec), &request, &outcome->process, err);
}

/* For the audit trail, which has the line of its beginning. */
static int record_exec_failure(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *exec = context;
	const struct brig_exit exit = {
		.id = exec->task->id,
		.exec_id = exec->exec_id,
		.pid = exec->start.pid,
		.error = exec->requests->failure.message,
	};

	(void)outcome;
	return brig_record_exit(brig_of(exec), &exit, err);
}

static int run_delete(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	(void)outcome;
	return brig_delete(brig_of(init), init->task->id, /* force= */ true, err);
}

static int run_pause(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	(void)outcome;
	return brig_pause(brig_of(init), init->task->id, err);
}

static int undo_pause(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	(void)outcome;
	return brig_thaw(brig_of(init), init->task->id, err);
}

static int run_resume(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	(void)outcome;
	return brig_resume(brig_of(init), init->task->id, err);
}

static int run_update(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;
	const struct task_request *request = init->requests;

	(void)outcome;
	return brig_update(brig_of(init), init->task->id, request->text, request->length, err);
}

static int run_checkpoint(const void *context, struct worker_outcome *outcome, struct error *err)
{
	const struct process *init = context;

	(void)outcome;
	return brig_checkpoint(brig_of(init), init->task->id, &init->requests->images, err);
}

static const struct job jobs[] = {
	[JOB_CREATE] = { .verb = "create",
			 .asked = PROCESS_ASKED_CREATE,
			 .timeout = LONG_TIMEOUT,
			 .enter = enter_streams,
			 .run = run_create,
			 .undo = run_delete,
			 .finish = lifecycle_created,
			 .fail = lifecycle_create_failed },
	[JOB_START] = { .verb = "start",
			.asked = PROCESS_ASKED_START,
			.timeout = LONG_TIMEOUT,
			.run = run_start,
			.begin_here = task_start_begin,
			.finish = lifecycle_started,
			.fail = lifecycle_start_failed },
	[JOB_EXEC_START] = { .verb = "start",
			     .asked = PROCESS_ASKED_START,
			     .timeout = LONG_TIMEOUT,
			     .enter = enter_streams,
			     .run = run_exec,
			     .undo = record_exec_failure,
			     .prepare = lifecycle_prepare_exec,
			     .finish = lifecycle_exec_started,
			     .fail = lifecycle_exec_failed,
			     .failed = lifecycle_exec_over },
	[JOB_DELETE] = { .verb = "delete",
			 .asked = PROCESS_ASKED_DELETE,
			 .timeout = SHORT_TIMEOUT,
			 .run = run_delete,
			 .prepare = lifecycle_prepare_delete,
			 .finish = lifecycle_deleted,
			 .ends_process = true },
	[JOB_EXEC_DELETE] = { .verb = "delete",
			      .asked = PROCESS_ASKED_DELETE,
			      .prepare = lifecycle_prepare_delete,
			      .ends_process = true },
	[JOB_PAUSE] = { .verb = "pause",
			.asked = PROCESS_ASKED_PAUSE,
			.timeout = SHORT_TIMEOUT,
			.run = run_pause,
			.undo = undo_pause,
			.finish = lifecycle_paused },
	[JOB_RESUME] = { .verb = "resume",
			 .asked = PROCESS_ASKED_RESUME,
			 .timeout = SHORT_TIMEOUT,
			 .run = run_resume,
			 .finish = lifecycle_resumed },
	[JOB_UPDATE] = { .verb = "update",
			 .asked = PROCESS_ASKED_UPDATE,
			 .timeout = SHORT_TIMEOUT,
			 .run = run_update,
			 .finish = lifecycle_updated },
	[JOB_CHECKPOINT] = { .verb = "checkpoint",
			     .asked = PROCESS_ASKED_CHECKPOINT,
			     .timeout = IMAGES_TIMEOUT,
			     .run = run_checkpoint,
			     .finish = lifecycle_checkpointed },
};

const struct job *job_of(enum job_kind kind)
{
	return &jobs[kind];
}
