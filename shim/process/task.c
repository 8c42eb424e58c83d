#include "shim/process/task.h"

#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "container/host_program.h"
#include "shim/process/task_queue.h"
#include "shim/process/task_exit.h"

/* Of the strings of one Create, which came in one message. */
#define TASK_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* The exits first: they are what some requests wait for. */
static void handle_tick(void *context)
{
	struct task *task = context;

	task_exit_tell(task);
	task_queue_serve_waiting(task);
}

static const char *const *copy_options(struct arena *arena, const char *const *options)
{
	const char **copy;
	size_t n = 0;

	while (options && options[n])
		n++;
	copy = arena_array_of(arena, n + 1, const char *);
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = arena_strdup(arena, options[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

static int copy_mounts(struct task *task, const struct task_create *request)
{
	task->mounts = arena_array_of(task->arena, request->n_mounts, struct brig_mount);
	if (!task->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < request->n_mounts; i++) {
		struct brig_mount *mount = &task->mounts[i];

		mount->type = arena_strdup(task->arena, request->mounts[i].type);
		mount->source = arena_strdup(task->arena, request->mounts[i].source);
		mount->options = copy_options(task->arena, request->mounts[i].options);
		if (!mount->type || !mount->source || !mount->options)
			return -ENOMEM;
	}
	task->n_mounts = request->n_mounts;
	return 0;
}

/* All or nothing, as far as the caller is concerned: process_done frees what there is. */
static int init_process(struct process *process, struct task *task, const char *exec_id,
			const struct task_streams *streams)
{
	process->task = task;
	process->kind = exec_id[0] == '\0' ? PROCESS_INIT : PROCESS_EXEC;
	process->state = PROCESS_CREATED;
	process->child.pidfd = -EBADF;
	process->terminal = streams->terminal;
	process->exec_id = strdup(exec_id);
	process->in = strdup(streams->in);
	process->out = strdup(streams->out);
	process->err = strdup(streams->err);
	return process->exec_id && process->in && process->out && process->err ? 0 : -ENOMEM;
}

/* Who waits is answered first, while there is a process to tell about. */
static void process_done(struct process *process)
{
	struct tasks *tasks = process->task->tasks;
	struct task_reply *reply;
	struct error err = { 0 };

	error_set(&err, ERROR_NOT_FOUND, ESRCH, "the process has been deleted");
	task_queue_drop_all(process, &err);
	while ((reply = process->waiters)) {
		process->waiters = reply->next;
		task_answer(reply, process, &err);
	}
	loop_clear_timer(tasks->options.loop, &process->kill_timer);
	loop_clear_timer(tasks->options.loop, &process->read_timer);
	reaper_forget(tasks->reaper, &process->child);
	exit_order_remove(&process->task->order, &process->exit);
	task_audit_forget(process);
	task_denials_forget(process);
	io_free(process->io);
	free(process->exec_id);
	free(process->in);
	free(process->out);
	free(process->err);
	free(process->process_json);
}

/* Copied: the request is gone when the worker runs. */
static int fill_task(struct task *task, const struct task_create *request)
{
	task->arena = arena_new(TASK_BYTES_MAX);
	if (!task->arena)
		return -ENOMEM;
	task->id = arena_strdup(task->arena, request->id);
	task->bundle = arena_strdup(task->arena, request->bundle);
	task->checkpoint = arena_strdup(task->arena, request->checkpoint);
	if (!task->id || !task->bundle || !task->checkpoint)
		return -ENOMEM;
	return copy_mounts(task, request);
}

int task_new(struct tasks *tasks, const struct task_create *request, struct task **ret, struct error *err)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return error_memory(err);
	task->tasks = tasks;
	task->binds = request->binds;
	task->n_binds = request->n_binds;
	task->oom.fd = -EBADF;
	task->tick = (struct loop_timer){ .expired = handle_tick, .context = task };
	if (init_process(&task->init, task, "", &request->streams) < 0 || fill_task(task, request) < 0) {
		task_free(task);
		return error_memory(err);
	}
	exit_order_add(&task->order, &task->init.exit, PROCESS_INIT);
	*ret = task;
	return 0;
}

void task_unlink(struct task *task)
{
	struct task **place = &task->tasks->first;

	while (*place && *place != task)
		place = &(*place)->next;
	if (*place) {
		*place = task->next;
		task->tasks->n--;
	}
}

void task_free(struct task *task)
{
	struct loop *loop = task->tasks->options.loop;

	task_unlink(task);
	while (task->execs)
		task_remove_exec(task->execs);
	process_done(&task->init);
	task_oom_close(task);
	task_denials_close(task);
	task_limits_close(task);
	loop_clear_timer(loop, &task->end_timer);
	loop_clear_timer(loop, &task->tick);
	brig_group_free(task->group);
	arena_free(task->arena);
	free(task);
}

static char *copy_bytes(const char *data, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy)
		return NULL;
	memcpy(copy, data, length);
	copy[length] = '\0';
	return copy;
}

int task_add_exec(struct task *task, const struct task_exec *request, struct process **ret, struct error *err)
{
	struct process *exec = calloc(1, sizeof(*exec));

	if (!exec)
		return error_memory(err);
	exec->process_json = copy_bytes(request->process_json, request->process_length);
	exec->process_length = request->process_length;
	if (init_process(exec, task, request->exec_id, &request->streams) < 0 || !exec->process_json) {
		process_done(exec);
		free(exec);
		return error_memory(err);
	}
	exec->next = task->execs;
	task->execs = exec;
	task->n_execs++;
	*ret = exec;
	return 0;
}

/* Its group may have been busy at its end, with what it left in the background. */
void task_remove_exec(struct process *exec)
{
	struct process **place = &exec->task->execs;

	while (*place != exec)
		place = &(*place)->next;
	*place = exec->next;
	exec->task->n_execs--;
	/* Where it was busy at the exec's end. */
	if (exec->pid != 0 && exec->task->group)
		brig_group_release(exec->task->group, exec->exec_id, NULL);
	process_done(exec);
	free(exec);
}

struct task *task_find(const struct tasks *tasks, const char *id)
{
	struct task *task = tasks->first;

	while (task && strcmp(task->id, id) != 0)
		task = task->next;
	return task;
}

struct process *task_find_exec(const struct task *task, const char *exec_id)
{
	struct process *exec = task->execs;

	while (exec && strcmp(exec->exec_id, exec_id) != 0)
		exec = exec->next;
	return exec;
}

int task_find_process(const struct tasks *tasks, struct task_name name, struct process **ret, struct error *err)
{
	struct task *task = task_find(tasks, name.id);
	struct process *process;

	if (!task)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no container %.256s in this shim", name.id);
	process = name.exec_id[0] == '\0' ? &task->init : task_find_exec(task, name.exec_id);
	if (!process)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no exec %.256s in container %.256s", name.exec_id,
				 name.id);
	*ret = process;
	return 0;
}

int task_find_made(const struct tasks *tasks, struct task_name name, struct process **ret, struct error *err)
{
	struct process *process;
	int r = task_find_process(tasks, name, &process, err);

	if (r < 0)
		return r;
	if (!process->task->is_made)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "container %.256s is still being created", name.id);
	*ret = process;
	return 0;
}

/* Borrowed from the process. */
struct task_info task_info(const struct process *process)
{
	enum process_state init = process->task->init.state, state = process->state;

	return (struct task_info){
		.id = process->task->id,
		.exec_id = process->exec_id,
		.bundle = process->task->bundle,
		.in = process->in,
		.out = process->out,
		.err = process->err,
		.pid = process->pid,
		.state = process->kind == PROCESS_INIT ? state : state_reported(init, state),
		.terminal = process->terminal,
		.exit_status = process->exit_status,
		.exited_at = process->exited_at,
	};
}

void task_event(const struct process *process, enum task_event event)
{
	const struct tasks_options *options = &process->task->tasks->options;
	struct task_info info = task_info(process);

	options->event(options->context, event, &info);
}

/* An io_options.check_logger */
static int check_logger(void *context, char *const *argv, struct error *err)
{
	const struct process *process = context;

	return host_program_check(&process->task->tasks->options.brig, argv, err);
}

int task_open_streams(struct process *process, struct error *err)
{
	const struct tasks_options *options = &process->task->tasks->options;
	const struct brig_limits *limits = &process->task->limits.limits;
	const struct io_options streams = {
		.loop = options->loop,
		.in = process->in,
		.out = process->out,
		.err = process->err,
		.streams = options->streams,
		.terminal = process->terminal,
		.container_id = process->task->id,
		.namespace = options->namespace,
		/* A container's own is known once it is being made (task_limits_take). */
		.max_output = process->kind == PROCESS_EXEC ? limits->max_output : 0,
		.check_logger = check_logger,
		.overflowed = task_limits_overflowed,
		.context = process,
	};
	int r = io_open(&streams, &process->io, err);

	return r < 0 ? error_prefix(err, "open the streams") : 0;
}

void task_answer(struct task_reply *reply, const struct process *process, const struct error *err)
{
	struct task_info info = task_info(process);

	if (reply && !process->task->tasks->is_closing)
		reply->done(reply, &info, err);
}

void task_wake(struct task *task)
{
	loop_set_timer(task->tasks->options.loop, &task->tick, loop_now());
}
