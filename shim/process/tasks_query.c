/* The requests of tasks.h that are answered at once, without the runtime. */
#include <stdlib.h>

#include "shim/process/task.h"
#include "shim/process/tasks.h"

int tasks_state(const struct tasks *tasks, struct task_name name, struct task_info *ret, struct error *err)
{
	struct process *process;
	int r = task_find_made(tasks, name, &process, err);

	if (r < 0)
		return r;
	*ret = task_info(process);
	return 0;
}

bool tasks_has_unread(const struct tasks *tasks, const char *id)
{
	const struct task *task = task_find(tasks, id);

	return task && task->init.io && io_has_unread(task->init.io);
}

/* Of a container that has ended as well: its figures are asked for until it is deleted. */
static int find_group(const struct tasks *tasks, const char *id, struct task **ret, struct error *err)
{
	struct process *init;
	int r = task_find_made(tasks, (struct task_name){ .id = id, .exec_id = "" }, &init, err);

	if (r < 0)
		return r;
	if (!init->task->group)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "container %.256s has no control group", id);
	*ret = init->task;
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	const struct task_pid *a = left, *b = right;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

/* list: sorted by pid. */
static void name_execs(const struct task *task, struct task_pid *list, size_t n)
{
	for (const struct process *exec = task->execs; exec; exec = exec->next) {
		const struct task_pid key = { .pid = exec->pid };
		struct task_pid *found = NULL;

		if (exec->state == PROCESS_RUNNING)
			found = bsearch(&key, list, n, sizeof(*list), compare_pids);
		if (found)
			found->exec_id = exec->exec_id;
	}
}

/* lint: parameters: a list is its start and its length, as everywhere. */
int tasks_pids(const struct tasks *tasks, const char *id, struct arena *arena, struct task_pid **ret, size_t *ret_n,
	       struct error *err)
{
	struct brig_pids pids = { 0 };
	struct task_pid *list;
	struct task *task = NULL;
	int r = find_group(tasks, id, &task, err);

	if (r >= 0)
		r = brig_group_processes(task->group, /* exec_id= */ NULL, arena, &pids, err);
	if (r < 0)
		return r;
	list = arena_array_of(arena, pids.n + 1, struct task_pid);
	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < pids.n; i++)
		list[i] = (struct task_pid){ .pid = pids.list[i], .exec_id = "" };
	qsort(list, pids.n, sizeof(*list), compare_pids);
	name_execs(task, list, pids.n);
	/* containerd 2, started again, takes a shim without processes for a leaked one, and would end it: with it went how the
	 * container ended, and what it wrote. Only Delete is the end. */
	if (pids.n == 0)
		list[pids.n++] = (struct task_pid){ .pid = task->init.pid, .exec_id = "" };
	*ret = list;
	*ret_n = pids.n;
	return 0;
}

/* An exec's begin with its program, and are the worker's and the new process's before; a container's are there once it is created. */
static bool has_streams(const struct process *process)
{
	return process->io && (process->kind == PROCESS_INIT ? process->pid != 0 : process->state != PROCESS_CREATED);
}

int tasks_resize(struct tasks *tasks, struct task_name name, struct task_size size, struct error *err)
{
	struct process *process;
	struct state_step step;
	int r = task_find_made(tasks, name, &process, err);

	if (r >= 0)
		r = state_step(process->kind, process->state, PROCESS_ASKED_RESIZE, &step, err);
	/* Before its start an exec has no terminal. */
	if (r < 0 || !step.act || !has_streams(process))
		return r;
	return io_resize(process->io, size.width, size.height, err);
}

int tasks_close_in(struct tasks *tasks, struct task_name name, struct error *err)
{
	struct process *process;
	struct state_step step;
	int r = task_find_made(tasks, name, &process, err);

	if (r >= 0)
		r = state_step(process->kind, process->state, PROCESS_ASKED_CLOSE_IO, &step, err);
	if (r < 0)
		return r;
	/* Once they begin, it is done where it could not be before (task_exit_begin_streams). */
	process->in_closed = true;
	if (has_streams(process))
		io_close_in(process->io);
	return 0;
}

int tasks_metrics(const struct tasks *tasks, const char *id, struct arena *arena, struct brig_metrics *ret,
		  struct error *err)
{
	struct task *task = NULL;
	int r = find_group(tasks, id, &task, err);

	return r < 0 ? r : brig_group_metrics(task->group, arena, ret, err);
}
