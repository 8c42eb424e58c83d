#include "shim/process/tasks.h"

#include <signal.h>
#include <string.h>

#include "shim/process/task_queue.h"
#include "shim/process/task.h"
#include "shim/process/task_exit.h"
#include "shim/process/task_kill.h"

#define SIGNAL_MAX 64

int tasks_new(const struct tasks_options *options, struct tasks **ret, struct error *err)
{
	struct tasks *tasks = calloc(1, sizeof(*tasks));
	int r;

	if (!tasks)
		return error_memory(err);
	tasks->options = *options;
	r = reaper_new(options->loop, &tasks->reaper, err);
	if (r < 0) {
		free(tasks);
		return r;
	}
	*ret = tasks;
	return 0;
}

void tasks_free(struct tasks *tasks)
{
	if (!tasks)
		return;
	tasks->is_closing = true;
	task_audit_close(tasks);
	while (tasks->first)
		task_free(tasks->first);
	loop_clear_timer(tasks->options.loop, &tasks->turn);
	reaper_free(tasks->reaper);
	free(tasks);
}

size_t tasks_count(const struct tasks *tasks)
{
	return tasks->n;
}

/* The service has looked at the characters; the length is what the runtime's names have room for. */
static int check_id(const char *what, const char *id, struct error *err)
{
	if (id[0] == '\0')
		return error_invalid(err, "the id of the %s is empty", what);
	if (strlen(id) > BRIG_ID_MAX)
		return error_invalid(err, "the id of the %s has %zu bytes, %d are the most", what, strlen(id),
				     BRIG_ID_MAX);
	return 0;
}

/* Before anything is made: of a request that is refused nothing is left. */
static int check_create(const struct tasks *tasks, const struct task_create *request, struct error *err)
{
	int r = check_id("container", request->id, err);

	if (r < 0)
		return r;
	if (request->bundle[0] != '/')
		return error_invalid(err, "bundle %.256s: not an absolute path", request->bundle);
	if (task_find(tasks, request->id))
		return error_set(err, ERROR_EXISTS, EEXIST, "the id is taken");
	if (tasks->n >= TASKS_MAX)
		return error_set(err, ERROR_STATE, EBUSY, "%d containers are the most for one shim: delete some first",
				 TASKS_MAX);
	return 0;
}

int tasks_create(struct tasks *tasks, const struct task_create *request, struct task_reply *reply, struct error *err)
{
	struct task *task;
	int r = check_create(tasks, request, err);

	if (r >= 0)
		r = task_new(tasks, request, &task, err);
	if (r < 0)
		return error_prefix(err, "create container %.256s", request->id);
	r = task_open_streams(&task->init, err);
	if (r < 0) {
		error_prefix(err, "create container %.256s", request->id);
		task_free(task);
		return r;
	}
	task->next = tasks->first;
	tasks->first = task;
	tasks->n++;
	r = task_queue_submit(&task->init, JOB_CREATE, reply, err);
	if (r < 0)
		task_free(task);
	return r;
}

static int check_exec(const struct task *task, const struct task_exec *request, struct error *err)
{
	struct state_step step;
	int r = check_id("exec", request->exec_id, err);

	if (r < 0)
		return r;
	/* Before the state: whoever asks again, not sure whether it was heard, is told so also of a container that was paused or ended since. */
	if (task_find_exec(task, request->exec_id))
		return error_set(err, ERROR_EXISTS, EEXIST, "the id is taken");
	r = state_step(PROCESS_INIT, task->init.state, PROCESS_ASKED_EXEC, &step, err);
	if (r < 0)
		return r;
	if (task->n_execs >= TASKS_EXECS_MAX)
		return error_set(err, ERROR_STATE, EBUSY, "%d execs are the most for one container: delete some first",
				 TASKS_EXECS_MAX);
	return 0;
}

int tasks_exec(struct tasks *tasks, const struct task_exec *request, struct error *err)
{
	struct process *init, *exec;
	int r = task_find_made(tasks, (struct task_name){ .id = request->id, .exec_id = "" }, &init, err);

	if (r >= 0)
		r = check_exec(init->task, request, err);
	if (r >= 0)
		r = task_add_exec(init->task, request, &exec, err);
	if (r < 0)
		return error_prefix(err, "exec %.256s", request->exec_id);
	task_event(exec, TASK_EXEC_ADDED);
	return 0;
}

/* A request that needs a worker: kind for the init, exec_kind for an exec. */
static int submit(struct tasks *tasks, struct task_name name, const enum job_kind kinds[PROCESS_N_KINDS],
		  struct task_reply *reply, struct error *err)
{
	struct process *process;
	int r = task_find_process(tasks, name, &process, err);

	return r < 0 ? r : task_queue_submit(process, kinds[process->kind], reply, err);
}

int tasks_start(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	static const enum job_kind kinds[] = { [PROCESS_INIT] = JOB_START, [PROCESS_EXEC] = JOB_EXEC_START };

	return submit(tasks, name, kinds, reply, err);
}

int tasks_delete(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	static const enum job_kind kinds[] = { [PROCESS_INIT] = JOB_DELETE, [PROCESS_EXEC] = JOB_EXEC_DELETE };

	return submit(tasks, name, kinds, reply, err);
}

/* What is asked of a container is asked of its first process. */
static int submit_init(struct tasks *tasks, const char *id, enum job_kind kind, struct task_reply *reply,
		       struct error *err)
{
	struct process *init;
	int r = task_find_process(tasks, (struct task_name){ .id = id, .exec_id = "" }, &init, err);

	return r < 0 ? r : task_queue_submit(init, kind, reply, err);
}

int tasks_pause(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	return submit_init(tasks, id, JOB_PAUSE, reply, err);
}

int tasks_resume(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	return submit_init(tasks, id, JOB_RESUME, reply, err);
}

int tasks_update(struct tasks *tasks, const struct task_update *request, struct task_reply *reply, struct error *err)
{
	struct process *init;
	int r = task_find_process(tasks, (struct task_name){ .id = request->id, .exec_id = "" }, &init, err);

	return r < 0 ? r : task_queue_submit_text(init, request, reply, err);
}

int tasks_checkpoint(struct tasks *tasks, const char *id, const struct brig_images *images, struct task_reply *reply,
		     struct error *err)
{
	struct process *init;
	int r = task_find_process(tasks, (struct task_name){ .id = id, .exec_id = "" }, &init, err);

	return r < 0 ? r : task_queue_submit_images(init, images, reply, err);
}

int tasks_wait(struct tasks *tasks, struct task_name name, struct task_reply *reply, struct error *err)
{
	struct process *process;
	int r = task_find_made(tasks, name, &process, err);

	if (r < 0)
		return r;
	task_exit_wait(process, reply);
	return 0;
}

static void abandon(struct process *process, const struct task_reply *reply)
{
	struct task_reply **place = &process->waiters;

	while (*place && *place != reply)
		place = &(*place)->next;
	if (*place)
		*place = reply->next;
	task_queue_abandon(process, reply);
}

/* Whose reply it is, the caller does not know: it is looked for among all. */
void tasks_abandon(struct tasks *tasks, struct task_reply *reply)
{
	for (struct task *task = tasks->first; task; task = task->next) {
		abandon(&task->init, reply);
		for (struct process *exec = task->execs; exec; exec = exec->next)
			abandon(exec, reply);
	}
}

/* At once, and not in the queue: it has to work while a start or a delete is under way. */
int tasks_kill(struct tasks *tasks, const struct task_kill *request, struct error *err)
{
	struct process *process;
	struct state_step step;
	int r = task_find_made(tasks, request->name, &process, err);

	if (r < 0)
		return r;
	if (request->signal < 0 || request->signal > SIGNAL_MAX)
		return error_invalid(err, "there is no signal %d", request->signal);
	r = state_step(process->kind, process->state, PROCESS_ASKED_KILL, &step, err);
	return r < 0 ? r : task_kill_send(process, request->signal, request->all, err);
}
