#include "shim/process/task_queue.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "shim/process/task_exit.h"
#include "shim/process/task_start.h"

static void handle_outcome(void *owner, struct worker_outcome *outcome, const struct error *err);

static void request_free(struct task_request *request)
{
	free(request->text);
	free(request);
}

static struct task_request *pop(struct process *process)
{
	struct task_request *request = process->requests;

	process->requests = request->next;
	process->n_requests--;
	process->is_busy = process->is_waiting = false;
	return request;
}

static void unqueue(struct process *process)
{
	struct process **place = &process->task->tasks->first_queued;

	while (*place && *place != process)
		place = &(*place)->next_queued;
	if (*place)
		*place = process->next_queued;
	process->is_queued = false;
}

/* In the order in which they came: execs of one container must not keep others from being stopped. */
static void enqueue(struct process *process)
{
	struct process **place = &process->task->tasks->first_queued;

	while (*place)
		place = &(*place)->next_queued;
	process->next_queued = NULL;
	process->is_queued = true;
	*place = process;
}

static bool has_turn(const struct tasks *tasks)
{
	return tasks->n_workers < (tasks->options.max_workers ?: TASKS_WORKERS_MAX);
}

/* Those that wait are served from the loop: who is called back from here may be in the middle of something. */
static void end_turn(struct tasks *tasks)
{
	tasks->n_workers--;
	if (!tasks->first_queued || tasks->is_closing || tasks->turn.is_active)
		return;
	tasks->turn = (struct loop_timer){ .expired = task_queue_take_turns, .context = tasks };
	loop_set_timer(tasks->options.loop, &tasks->turn, loop_now());
}

/* Without a look at the bound: the undo of what a worker left comes in that one's turn. */
static int fork_worker(struct process *process, struct error *err)
{
	const struct task_request *request = process->requests;
	const struct job *job = request->job;
	const struct worker_options options = {
		.loop = process->task->tasks->options.loop,
		.reaper = process->task->tasks->reaper,
		.enter = request->is_undoing ? NULL : job->enter,
		.keep_fd = process->io ? io_console_fd(process->io) : -EBADF,
		.run = request->is_undoing ? job->undo : job->run,
		.context = process,
		.timeout = process->task->tasks->options.bounds.work ?: job->timeout,
		.done = handle_outcome,
		.owner = process,
	};
	int r;

	r = worker_start(&options, &process->worker, err);
	process->task->tasks->n_workers += r >= 0;
	return r;
}

static int start_worker(struct process *process, struct error *err)
{
	if (has_turn(process->task->tasks) && !process->task->tasks->first_queued)
		return fork_worker(process, err);
	enqueue(process);
	return 0;
}

static void cancel_worker(struct process *process)
{
	task_start_cancel(process);
	if (process->is_queued)
		unqueue(process);
	if (!process->worker)
		return;
	worker_cancel(steal_ptr(&process->worker));
	end_turn(process->task->tasks);
}

static void describe(const struct process *process, struct error *err)
{
	if (process->kind == PROCESS_INIT)
		error_prefix(err, "%s container %s", process->requests->job->verb, process->task->id);
	else
		error_prefix(err, "%s exec %s of container %s", process->requests->job->verb, process->exec_id,
			     process->task->id);
}

/* The process is freed where there is none any more. */
static void end_process(struct process *process)
{
	if (process->kind == PROCESS_INIT)
		task_free(process->task);
	else
		task_remove_exec(process);
}

/* The first request is done. err: NULL for success. */
static void conclude(struct process *process, const struct error *err)
{
	struct task_request *request = pop(process);
	bool ends = request->job->asked == PROCESS_ASKED_CREATE ? err != NULL : request->job->ends_process && !err;

	if (ends && !err && process->kind == PROCESS_INIT)
		task_event(process, TASK_DELETED);
	if (ends && process->kind == PROCESS_INIT)
		task_unlink(process->task);
	task_wake(process->task);
	task_answer(request->reply, process, err);
	request_free(request);
	if (ends)
		end_process(process);
}

static void conclude_failure(struct process *process, const struct error *err)
{
	struct error described = *err;

	describe(process, &described);
	conclude(process, &described);
}

/* Of a request that its process's state allowed. */
static void end_failure(struct process *process, const struct error *err)
{
	const struct job *job = process->requests->job;

	if (job->failed)
		job->failed(process);
	conclude_failure(process, err);
}

/* Before anything was made. */
static void fail_early(struct process *process)
{
	const struct job *job = process->requests->job;

	if (job->fail)
		job->fail(process, /* outcome_is_known= */ true);
	if (job->failed)
		job->failed(process);
}

/* What the runtime has recorded of an exec's start, it did before its process was let go. */
static bool leaves_work(const struct process *process, bool outcome_is_known)
{
	if (process->kind == PROCESS_EXEC)
		return process->audit.is_wanted;
	return !outcome_is_known && process->requests->job->undo;
}

/* outcome_is_known: see job.h. */
static void fail(struct process *process, bool outcome_is_known, const struct error *err)
{
	struct task_request *request = process->requests;
	struct error undo_err = { 0 };

	if (request->job->fail)
		request->job->fail(process, outcome_is_known);
	if (!leaves_work(process, outcome_is_known)) {
		end_failure(process, err);
		return;
	}
	request->failure = *err;
	request->is_undoing = true;
	if (fork_worker(process, &undo_err) < 0) {
		log_error("container %s: %s is not undone: %s", process->task->id, request->job->verb, undo_err.message);
		end_failure(process, err);
	}
}

void task_queue_take_outcome(struct process *process, struct worker_outcome *outcome, const struct error *err)
{
	struct task_request *request = process->requests;
	struct error finish_err = { 0 };
	int r;

	task_denials_take(process, outcome);
	if (request->is_undoing) {
		struct error failure = request->failure;

		if (err)
			log_error("container %s: %s is not undone: %s", process->task->id, request->job->verb,
				  err->message);
		end_failure(process, &failure);
	} else if (err) {
		fail(process, outcome->has_returned, err);
	} else if ((r = request->job->finish(process, outcome, &finish_err)) < 0) {
		fail(process, /* outcome_is_known= */ false, &finish_err);
	} else if (r != JOB_WAITS) {
		conclude(process, NULL);
	}
}

/* A Pause may come while an exec is being made: what the worker waits for is held by the freezer then, and that is what has to be said. */
static bool is_for_the_freezer(const struct process *process, const struct error *err)
{
	const struct task *task = process->task;

	return err && err->kind == ERROR_TIMEOUT && task->group && brig_group_is_frozen(task->group);
}

static void handle_outcome(void *owner, struct worker_outcome *outcome, const struct error *err)
{
	struct process *process = owner;
	struct error frozen;

	process->worker = NULL;
	end_turn(process->task->tasks);
	if (is_for_the_freezer(process, err)) {
		error_set(&frozen, err->kind, err->code, "%s: its control group is frozen; resume the container",
			  err->message);
		err = &frozen;
	}
	task_queue_take_outcome(process, outcome, err);
}

/* The first request, which the state allows. */
static int begin(struct process *process, struct error *err)
{
	const struct job *job = process->requests->job;
	int r = job->prepare ? job->prepare(process, err) : 0;

	process->is_waiting = r == JOB_WAITS;
	if (r == 0 && job->run && !(job->begin_here && job->begin_here(process)))
		r = start_worker(process, err);
	if (r < 0)
		fail_early(process);
	return r;
}

/* Returns 0 where it is under way, or done without a worker; a negative errno with err set where it was refused: it is still the first
 * one then. */
static int serve(struct process *process, struct error *err)
{
	struct state_step step;
	int r = state_step(process->kind, process->state, process->requests->job->asked, &step, err);

	if (process->requests->job->asked == PROCESS_ASKED_CREATE)
		r = 0; /* the table was asked by the id */
	process->is_busy = true;
	if (r >= 0)
		r = begin(process, err);
	if (r < 0)
		process->is_busy = false;
	return r < 0 ? r : 0;
}

static int append(struct process *process, struct task_request *request, struct error *err)
{
	struct task_request **place = &process->requests;

	if (process->n_requests >= TASK_QUEUE_MAX)
		return error_set(err, ERROR_STATE, EBUSY, "too many requests wait: %d for one process are the most",
				 TASK_QUEUE_MAX);
	while (*place)
		place = &(*place)->next;
	*place = request;
	process->n_requests++;
	return 0;
}

static int submit(struct process *process, struct task_request *request, struct error *err)
{
	struct state_step step;
	int r = append(process, request, err);

	if (r < 0) {
		request_free(request);
		return r;
	}
	if (process->n_requests > 1)
		return 0;
	if (!request->job->run) {
		/* Served from the loop, since the process goes with it; refused at once. */
		r = state_step(process->kind, process->state, request->job->asked, &step, err);
		task_wake(process->task);
	} else {
		r = serve(process, err);
	}
	if (r < 0) {
		describe(process, err);
		request_free(pop(process));
	}
	return r;
}

static struct task_request *make(enum job_kind kind, struct task_reply *reply)
{
	struct task_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->job = job_of(kind);
	request->reply = reply;
	return request;
}

int task_queue_submit(struct process *process, enum job_kind kind, struct task_reply *reply, struct error *err)
{
	struct task_request *request = make(kind, reply);

	return request ? submit(process, request, err) : error_memory(err);
}

int task_queue_submit_text(struct process *process, const struct task_update *update, struct task_reply *reply,
			   struct error *err)
{
	struct task_request *request = make(JOB_UPDATE, reply);

	if (!request)
		return error_memory(err);
	request->text = malloc(update->length + 1);
	if (!request->text) {
		request_free(request);
		return error_memory(err);
	}
	memcpy(request->text, update->resources_json, update->length);
	request->text[update->length] = '\0';
	request->length = update->length;
	return submit(process, request, err);
}

int task_queue_submit_images(struct process *process, const struct brig_images *images, struct task_reply *reply,
			     struct error *err)
{
	struct task_request *request = make(JOB_CHECKPOINT, reply);

	if (!request)
		return error_memory(err);
	if (asprintf(&request->text, "%s%c%s", images->path, '\0', images->work_path ?: "") < 0) {
		request->text = NULL;
		request_free(request);
		return error_memory(err);
	}
	request->images = *images;
	request->images.path = request->text;
	request->images.work_path = images->work_path ? request->text + strlen(request->text) + 1 : NULL;
	return submit(process, request, err);
}

static bool is_ready(const struct process *process)
{
	if (!process->requests)
		return false;
	return process->is_busy ? process->is_waiting && process->is_told : true;
}

static struct process *find_ready(struct task *task)
{
	struct process *process = task->execs;

	if (is_ready(&task->init))
		return &task->init;
	while (process && !is_ready(process))
		process = process->next;
	return process;
}

void task_queue_serve_waiting(struct task *task)
{
	struct process *process;

	/* Execs may go, and new requests come, with each answer. The container goes only with the answer of a worker. */
	while ((process = find_ready(task))) {
		const struct job *job = process->requests->job;
		struct error err = { 0 };

		if (serve(process, &err) < 0)
			conclude_failure(process, &err);
		else if (!process->is_waiting && !job->run)
			conclude(process, NULL);
	}
}

void task_queue_take_turns(void *context)
{
	struct tasks *tasks = context;
	struct process *process;
	struct error err = { 0 };

	while ((process = tasks->first_queued) && has_turn(tasks)) {
		unqueue(process);
		if (fork_worker(process, &err) >= 0)
			continue;
		fail_early(process);
		conclude_failure(process, &err);
	}
}

bool task_queue_is_starting(const struct process *process)
{
	return process->is_busy && process->requests->job->asked == PROCESS_ASKED_START;
}

void task_queue_cancel(struct process *process, const char *why)
{
	struct task_request *request = process->requests;
	struct error err = request->failure;

	cancel_worker(process);
	/* What it failed by stays what is told: the undo alone did not come to its end. */
	if (request->is_undoing) {
		end_failure(process, &err);
		return;
	}
	error_set(&err, ERROR_STATE, ECANCELED, "%s", why);
	fail(process, /* outcome_is_known= */ false, &err);
}

void task_queue_kill_failed(struct process *process)
{
	struct error err = { 0 };

	if (!process->is_waiting)
		return;
	error_set(&err, ERROR_TIMEOUT, ETIMEDOUT,
		  "process %d does not end by SIGKILL; if it sleeps uninterruptibly, the shim's log says where",
		  (int)process->pid);
	conclude_failure(process, &err);
}

void task_queue_drop_all(struct process *process, const struct error *err)
{
	cancel_worker(process);
	while (process->requests) {
		struct task_request *request = pop(process);

		task_answer(request->reply, process, err);
		request_free(request);
	}
}

void task_queue_abandon(struct process *process, const struct task_reply *reply)
{
	for (struct task_request *request = process->requests; request; request = request->next) {
		if (request->reply == reply)
			request->reply = NULL;
	}
}
