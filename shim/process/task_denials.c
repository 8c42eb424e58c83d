#include "shim/process/task_denials.h"

#include <sys/epoll.h>

#include "base/log.h"
#include "container/explain/denial_keeper.h"
#include "shim/process/task.h"

/* Written down at intervals, however many calls are refused: the container sets that pace. */
static void handle_due(void *context)
{
	struct task *task = context;

	denial_keeper_save(task->denials.keeper);
}

/* At the next moment that the keeper names; one that is set already is sooner. */
static void save_in_time(struct task *task)
{
	struct task_denials *denials = &task->denials;
	uint64_t due = denial_keeper_due(denials->keeper);

	if (due > 0 && !denials->timer.is_active)
		loop_set_timer(task->tasks->options.loop, &denials->timer, due);
}

static void handle_refused(void *context, uint32_t events)
{
	struct task *task = context;
	struct task_denials *denials = &task->denials;

	(void)events;
	if (!denial_keeper_serve(denials->keeper)) {
		loop_unwatch(task->tasks->options.loop, &denials->watch);
		denial_keeper_close(denials->keeper);
	}
	save_in_time(task);
}

static void handle_refused_exec(void *context, uint32_t events)
{
	struct process *exec = context;

	(void)events;
	if (!denial_keeper_serve_other(exec->task->denials.keeper, exec->denials.fd))
		task_denials_forget(exec);
	save_in_time(exec->task);
}

/* fd is taken. */
static bool make_keeper(struct task *task, int fd)
{
	struct task_denials *denials = &task->denials;

	denials->timer = (struct loop_timer){ .expired = handle_due, .context = task };
	denials->keeper = denial_keeper_new(&task->tasks->options.brig, task->id, fd);
	if (!denials->keeper)
		log_warning("container %s: what is refused to it is not counted: no memory", task->id);
	return denials->keeper;
}

/* fd is taken. An exec may have come before the container's first process was let go: its keeper is the container's. */
static bool give_keeper(struct task *task, int fd)
{
	struct task_denials *denials = &task->denials;

	if (!denials->keeper)
		return make_keeper(task, fd);
	denial_keeper_take(denials->keeper, fd);
	return true;
}

static void begin(struct task *task, int fd)
{
	struct task_denials *denials = &task->denials;
	struct error err = { 0 };

	denials->is_taken = true;
	denials->watch = (struct loop_watch){ .ready = handle_refused, .context = task };
	if (!give_keeper(task, fd))
		return;
	if (loop_watch(task->tasks->options.loop, &denials->watch, fd, EPOLLIN, &err) >= 0)
		return;
	/* Closed, or who is refused would wait for ever. */
	denial_keeper_close(denials->keeper);
	log_warning("container %s: what is refused to it is not counted: %s", task->id, err.message);
}

/* An exec's filter is one more, with a listener of its own: counted with the container's. */
static void begin_exec(struct process *exec, int listener_fd)
{
	AUTO_CLOSE int fd = listener_fd;
	struct error err = { 0 };

	if (!exec->task->denials.keeper && !make_keeper(exec->task, -EBADF))
		return;
	exec->denials.watch = (struct loop_watch){ .ready = handle_refused_exec, .context = exec };
	if (loop_watch(exec->task->tasks->options.loop, &exec->denials.watch, fd, EPOLLIN, &err) < 0)
		log_warning("container %s: what is refused to exec %s is not counted: %s", exec->task->id,
			    exec->exec_id, err.message);
	else
		exec->denials.fd = steal_fd(&fd);
}

void task_denials_take(struct process *process, struct worker_outcome *outcome)
{
	int fd = steal_fd(&outcome->process.denials_fd);

	if (fd < 0)
		return;
	if (process->kind == PROCESS_EXEC && process->denials.fd == 0 && process->task->init.state != PROCESS_STOPPED)
		begin_exec(process, fd);
	else if (process->kind == PROCESS_INIT && process->state != PROCESS_STOPPED && !process->task->denials.is_taken)
		begin(process->task, fd);
	else
		close_and_reset(&fd);
}

void task_denials_forget(struct process *process)
{
	if (process->denials.fd == 0)
		return;
	loop_unwatch(process->task->tasks->options.loop, &process->denials.watch);
	close_and_reset(&process->denials.fd);
	process->denials.fd = 0;
}

/* The filter's users are gone: what was counted is written for the last time. */
void task_denials_end(struct task *task)
{
	loop_unwatch(task->tasks->options.loop, &task->denials.watch);
	loop_clear_timer(task->tasks->options.loop, &task->denials.timer);
	denial_keeper_end(task->denials.keeper);
}

void task_denials_close(struct task *task)
{
	loop_unwatch(task->tasks->options.loop, &task->denials.watch);
	loop_clear_timer(task->tasks->options.loop, &task->denials.timer);
	denial_keeper_free(steal_ptr(&task->denials.keeper));
}

const struct denial_listener *task_denials_counted(const struct process *process)
{
	return process->kind == PROCESS_INIT ? denial_keeper_listener(process->task->denials.keeper) : NULL;
}
