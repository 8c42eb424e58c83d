#include "shim/process/task_oom.h"

#include "base/log.h"
#include "shim/process/task.h"

/* Between two looks: memory.events changes at each brush with a limit, at a pace that the container sets. */
#define PAUSE UINT64_C(100000000)

/* Once more after each pause, too. */
static void watch(struct task *task)
{
	struct task_oom *oom = &task->oom;
	struct error err = { 0 };

	if (loop_watch(task->tasks->options.loop, &oom->watch, oom->fd, oom->events, &err) < 0)
		log_warning("container %s: memory is not watched: %s", task->id, err.message);
}

static void handle_change(void *context, uint32_t events)
{
	struct task *task = context;
	struct task_oom *oom = &task->oom;

	(void)events;
	loop_unwatch(task->tasks->options.loop, &oom->watch);
	loop_set_timer(task->tasks->options.loop, &oom->pause, loop_now() + PAUSE);
	brig_group_oom_acknowledge(oom->fd);
	task_oom_check(task);
}

static void handle_pause(void *context)
{
	struct task *task = context;

	/* v1 tells of a kill before it is counted. */
	task_oom_check(task);
	/* Level-triggered: what happened in between is seen. */
	watch(task);
}

void task_oom_begin(struct task *task)
{
	struct task_oom *oom = &task->oom;
	struct error err = { 0 };
	int fd;

	oom->watch = (struct loop_watch){ .ready = handle_change, .context = task };
	oom->pause = (struct loop_timer){ .expired = handle_pause, .context = task };
	if (!task->group)
		return;
	fd = brig_group_oom_fd(task->group, &oom->events, &err);
	if (fd < 0) {
		log_debug("container %s: memory is not watched: %s", task->id, err.message);
		return;
	}
	oom->fd = fd;
	oom->seen = brig_group_oom_count(task->group);
	watch(task);
}

/* By number, and not by the event: memory.events changes for other reasons as well. */
void task_oom_check(struct task *task)
{
	uint64_t count = brig_group_oom_count(task->group);

	if (count == task->oom.seen)
		return;
	/* It goes back to 0 where the group is gone. */
	if (count > task->oom.seen)
		task_event(&task->init, TASK_OOM);
	task->oom.seen = count;
}

/* The kill and the end may be one to the shim's eyes: a process that was killed for memory has its OOM told before its exit. */
void task_oom_end(struct task *task)
{
	if (task->oom.fd < 0)
		return;
	task_oom_check(task);
	task_oom_close(task);
}

void task_oom_close(struct task *task)
{
	loop_unwatch(task->tasks->options.loop, &task->oom.watch);
	loop_clear_timer(task->tasks->options.loop, &task->oom.pause);
	close_and_reset(&task->oom.fd);
}
