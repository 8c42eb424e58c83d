#include "tasks_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct fixture fixture;

static const char *const event_names[] = {
	[TASK_CREATED] = "create",	    [TASK_STARTED] = "start", [TASK_EXITED] = "exit",
	[TASK_DELETED] = "delete",	    [TASK_OOM] = "oom",	      [TASK_EXEC_ADDED] = "exec-added",
	[TASK_EXEC_STARTED] = "exec-start", [TASK_PAUSED] = "pause",  [TASK_RESUMED] = "resume",
	[TASK_CHECKPOINTED] = "checkpoint",
};

static void note(const char *text)
{
	size_t used = strlen(fixture.events);

	snprintf(fixture.events + used, sizeof(fixture.events) - used, "%s ", text);
}

static void take_event(void *context, enum task_event event, const struct task_info *info)
{
	char text[128];

	cr_expect_eq(context, &fixture);
	if (event == TASK_EXITED)
		snprintf(text, sizeof(text), "exit%s%s:%d", info->exec_id[0] ? "/" : "", info->exec_id,
			 info->exit_status);
	else
		snprintf(text, sizeof(text), "%s%s%s", event_names[event], info->exec_id[0] ? "/" : "", info->exec_id);
	if (event == TASK_EXITED)
		cr_expect(info->pid > 0 && info->exited_at.tv_sec > 0);
	note(text);
}

static void take_answer(struct task_reply *base, const struct task_info *info, const struct error *err)
{
	struct fixture_reply *reply = (struct fixture_reply *)base;

	reply->n_answers++;
	reply->has_failed = err != NULL;
	if (err)
		reply->err = *err;
	reply->pid = info->pid;
	reply->exit_status = info->exit_status;
	reply->state = info->state;
	if (reply->name)
		note(reply->name);
}

void fixture_reply_init(struct fixture_reply *reply, const char *name)
{
	*reply = (struct fixture_reply){ .reply = { .done = take_answer }, .name = name };
}

static void take_limit(void *context, enum task_limit limit, const struct task_info *info, const char *text)
{
	char line[128];

	cr_expect_eq(context, &fixture);
	cr_expect_eq(strncmp(text, "brig: ended after ", 18), 0, "%s", text);
	snprintf(line, sizeof(line), "%s%s%s", limit == TASK_LIMIT_TIMEOUT ? "timeout" : "max-output",
		 info->exec_id[0] ? "/" : "", info->exec_id);
	note(line);
}

void fixture_begin(void)
{
	fixture_begin_with(&(struct tasks_bounds){ 0 }, /* max_workers= */ 0);
}

void fixture_begin_with(const struct tasks_bounds *bounds, unsigned max_workers)
{
	struct tasks_options options = {
		.namespace = "test",
		.event = take_event,
		.ended_by_limit = take_limit,
		.context = &fixture,
		.waits_for_readers = true,
		.bounds = *bounds,
		.max_workers = max_workers,
	};

	fake_init();
	cr_assert_eq(loop_new(&fixture.loop, NULL), 0);
	options.loop = fixture.loop;
	cr_assert_eq(tasks_new(&options, &fixture.tasks, NULL), 0);
}

void fixture_end(void)
{
	tasks_free(fixture.tasks);
	loop_free(fixture.loop);
	cr_expect_eq(fake->n_io, 0, "%u streams are left open", fake->n_io);
	fake_done();
}

void fixture_settle(void)
{
	while (loop_step(fixture.loop, 0) > 0) {}
}

struct task_name fixture_name(const char *id, const char *exec_id)
{
	return (struct task_name){ .id = id, .exec_id = exec_id };
}

int fixture_create(const char *id, struct fixture_reply *reply, struct error *err)
{
	static const char *const mount_options[] = { "ro", NULL };
	static const struct brig_mount mount = { .type = "bind", .source = "/src", .options = mount_options };
	struct task_create request = {
		.id = id,
		.bundle = "/bundle",
		.mounts = &mount,
		.n_mounts = 1,
		.streams = { .in = "", .out = "", .err = "" },
		.checkpoint = "",
	};

	return tasks_create(fixture.tasks, &request, &reply->reply, err);
}

int fixture_exec(const char *id, const char *exec_id, struct error *err)
{
	struct task_exec request = {
		.id = id,
		.exec_id = exec_id,
		.streams = { .in = "", .out = "", .err = "" },
		.process_json = "{}",
		.process_length = 2,
	};

	return tasks_exec(fixture.tasks, &request, err);
}

static enum error_kind result(struct fixture_reply *reply, int r, const struct error *err)
{
	if (r < 0) {
		cr_expect_eq(reply->n_answers, 0, "a refused request is not answered as well");
		return err->kind;
	}
	fixture_until(reply->n_answers > 0);
	cr_expect_eq(reply->n_answers, 1);
	return reply->has_failed ? reply->err.kind : ERROR_NONE;
}

enum error_kind fixture_start(const char *id, const char *exec_id)
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_reply_init(&reply, NULL);
	return result(&reply, tasks_start(fixture.tasks, fixture_name(id, exec_id), &reply.reply, &err), &err);
}

enum error_kind fixture_delete(const char *id, const char *exec_id)
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_reply_init(&reply, NULL);
	return result(&reply, tasks_delete(fixture.tasks, fixture_name(id, exec_id), &reply.reply, &err), &err);
}

int fixture_kill(const char *id, const char *exec_id, int signal)
{
	struct task_kill request = { .name = fixture_name(id, exec_id), .signal = signal };

	return tasks_kill(fixture.tasks, &request, NULL);
}

enum process_state fixture_state(const char *id, const char *exec_id)
{
	struct task_info info = { .state = PROCESS_N_STATES };

	if (tasks_state(fixture.tasks, fixture_name(id, exec_id), &info, NULL) < 0)
		return PROCESS_DELETED;
	return info.state;
}

static void stop(const char *id, const char *exec_id)
{
	cr_assert_eq(fixture_kill(id, exec_id, SIGTERM), 0);
	fixture_until(fixture_state(id, exec_id) == PROCESS_STOPPED);
	fixture_settle();
}

void fixture_make(const char *id, enum process_state state)
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_reply_init(&reply, NULL);
	cr_assert_eq(fixture_create(id, &reply, &err), 0, "%s", err.message);
	fixture_until(reply.n_answers);
	cr_assert(!reply.has_failed, "%s", reply.err.message);
	if (state == PROCESS_CREATED)
		return;
	cr_assert_eq(fixture_start(id, ""), ERROR_NONE);
	if (state == PROCESS_PAUSED) {
		fixture_reply_init(&reply, NULL);
		cr_assert_eq(tasks_pause(fixture.tasks, id, &reply.reply, NULL), 0);
		fixture_until(reply.n_answers);
	}
	if (state == PROCESS_STOPPED)
		stop(id, "");
	cr_assert_eq(fixture_state(id, ""), state);
}

void fixture_make_exec(const char *id, const char *exec_id, enum process_state state)
{
	cr_assert_eq(fixture_exec(id, exec_id, NULL), 0);
	if (state == PROCESS_CREATED)
		return;
	cr_assert_eq(fixture_start(id, exec_id), ERROR_NONE);
	if (state == PROCESS_STOPPED)
		stop(id, exec_id);
}
