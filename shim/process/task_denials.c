#include "shim/process/task_denials.h"

#include <sys/epoll.h>

#include "base/log.h"
#include "container/explain/denial_keeper.h"
#include "shim/process/task.h"

static void handle_due(void *context)
{
	struct task *task = context;

	denial_keeper_save(task->denials.keeper);
}

static void handle_refused(void *context, uint32_t events)
{
	struct task *task = context;
	struct task_denials *denials = &task->denials;
	struct loop *loop = task->tasks->options.loop;
	uint64_t due;

	(void)events;
	if (!denial_keeper_serve(denials->keeper)) {
		loop_unwatch(loop, &denials->watch);
		denial_keeper_close(denials->keeper);
	}
	due = denial_keeper_due(denials->keeper);
	if (due > 0 && !denials->timer.is_active)
		loop_set_timer(loop, &denials->timer, due);
}

static void begin(struct task *task, int fd)
{
	struct task_denials *denials = &task->denials;
	struct error err = { 0 };

	denials->watch = (struct loop_watch){ .ready = handle_refused, .context = task };
	denials->timer = (struct loop_timer){ .expired = handle_due, .context = task };
	denials->keeper = denial_keeper_new(&task->tasks->options.brig, task->id, fd);
	if (!denials->keeper) {
		log_warning("container %s: what is refused to it is not counted: no memory", task->id);
		return;
	}
	if (loop_watch(task->tasks->options.loop, &denials->watch, fd, EPOLLIN, &err) >= 0)
		return;
	/* Closed, or who is refused would wait for ever. */
	denial_keeper_close(denials->keeper);
	log_warning("container %s: what is refused to it is not counted: %s", task->id, err.message);
}

void task_denials_take(struct process *process, const struct worker_outcome *outcome)
{
	int fd = outcome->process.denials_fd;

	if (fd < 0)
		return;
	if (process->kind != PROCESS_INIT || process->state == PROCESS_STOPPED || process->task->denials.keeper)
		close_and_reset(&fd);
	else
		begin(process->task, fd);
}

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
