#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"

TestSuite(tasks_life, .init = fixture_begin, .fini = fixture_end);

Test(tasks_life, a_container_from_create_to_delete)
{
	struct fixture_reply created, waited, deleted;
	struct error err = { 0 };

	fixture_reply_init(&created, "created");
	cr_assert_eq(fixture_create("c", &created, &err), 0, "%s", err.message);
	cr_expect_eq(fixture_state("c", ""), PROCESS_DELETED, "not there before it is made");
	fixture_until(created.n_answers);
	cr_expect_eq(created.pid, fake_pid(""));
	cr_expect_str_eq(fake->seen_mount, "/src:ro");
	fixture_reply_init(&waited, "waited");
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &waited.reply, NULL), 0);
	cr_expect_eq(fixture_start("c", ""), ERROR_NONE);
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
	cr_expect_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(waited.n_answers);
	cr_expect_eq(waited.exit_status, 7);
	cr_expect_eq(waited.state, PROCESS_STOPPED);
	fixture_reply_init(&deleted, "deleted");
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, NULL), 0);
	fixture_until(deleted.n_answers);
	cr_expect_eq(deleted.exit_status, 7);
	cr_expect_eq(deleted.pid, created.pid, "kept for the answer");
	cr_expect_eq(tasks_count(fixture.tasks), 0);
	cr_expect_eq(fixture_delete("c", ""), ERROR_NOT_FOUND, "a second delete finds nothing");
	cr_expect_str_eq(fixture.events, "create created start exit:7 waited delete deleted ");
	cr_expect_eq(fake->n_deletes, 1);
}

Test(tasks_life, an_exec_from_exec_to_delete)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	cr_expect_eq(fake->n_execs, 0, "it is only recorded");
	cr_expect_eq(fixture_start("c", "e"), ERROR_NONE);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
	cr_expect_eq(fixture_kill("c", "e", SIGTERM), 0);
	fixture_until(fixture_state("c", "e") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_group_releases, 1, "what it left stays with the container");
	cr_expect_eq(fake->n_group_kills, 0);
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NONE);
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NOT_FOUND);
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
	cr_expect_str_eq(fixture.events, "create start exec-added/e exec-start/e exit/e:7 ",
			 "the delete of an exec has no event");
}

Test(tasks_life, an_id_is_taken_until_it_is_deleted)
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_make("c", PROCESS_CREATED);
	fixture_reply_init(&reply, NULL);
	cr_expect_lt(fixture_create("c", &reply, &err), 0);
	cr_expect_eq(err.kind, ERROR_EXISTS);
	cr_assert_eq(fixture_exec("c", "e", NULL), 0);
	cr_expect_lt(fixture_exec("c", "e", &err), 0);
	cr_expect_eq(err.kind, ERROR_EXISTS);
	cr_expect_eq(tasks_count(fixture.tasks), 1);
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NONE);
	cr_expect_eq(fixture_exec("c", "e", NULL), 0);
}

/* What the table says, with how it is asked. */
struct asked {
	const char *name;
	enum process_event event;
	enum error_kind (*ask)(const char *exec_id);
};

static enum error_kind ask_start(const char *exec_id)
{
	return fixture_start("c", exec_id);
}

static enum error_kind ask_delete(const char *exec_id)
{
	return fixture_delete("c", exec_id);
}

static enum error_kind ask_kill(const char *exec_id)
{
	struct task_kill request = { .name = fixture_name("c", exec_id) };
	struct error err = { 0 };

	return tasks_kill(fixture.tasks, &request, &err) < 0 ? err.kind : ERROR_NONE;
}

static enum error_kind ask_init(int (*ask)(struct tasks *tasks, const char *id, struct task_reply *reply,
					   struct error *err))
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_reply_init(&reply, NULL);
	if (ask(fixture.tasks, "c", &reply.reply, &err) < 0)
		return err.kind;
	fixture_until(reply.n_answers);
	return reply.has_failed ? reply.err.kind : ERROR_NONE;
}

static enum error_kind ask_pause(const char *exec_id)
{
	(void)exec_id;
	return ask_init(tasks_pause);
}

static enum error_kind ask_resume(const char *exec_id)
{
	(void)exec_id;
	return ask_init(tasks_resume);
}

static int update(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	struct task_update request = { .id = id, .resources_json = "{\"pids\":1}", .length = 10 };

	return tasks_update(tasks, &request, reply, err);
}

static enum error_kind ask_update(const char *exec_id)
{
	(void)exec_id;
	return ask_init(update);
}

static int checkpoint(struct tasks *tasks, const char *id, struct task_reply *reply, struct error *err)
{
	char path[] = "/images", work_path[] = "/work";
	const struct brig_images images = { .path = path, .work_path = work_path };
	int r = tasks_checkpoint(tasks, id, &images, reply, err);

	/* The caller's are not needed any more. */
	memset(path, 'x', sizeof(path) - 1);
	memset(work_path, 'x', sizeof(work_path) - 1);
	return r;
}

static enum error_kind ask_checkpoint(const char *exec_id)
{
	(void)exec_id;
	return ask_init(checkpoint);
}

static enum error_kind ask_exec(const char *exec_id)
{
	struct error err = { 0 };

	(void)exec_id;
	return fixture_exec("c", "new", &err) < 0 ? err.kind : ERROR_NONE;
}

static enum error_kind ask_resize(const char *exec_id)
{
	struct task_size size = { .width = 80, .height = 24 };
	struct error err = { 0 };

	return tasks_resize(fixture.tasks, fixture_name("c", exec_id), size, &err) < 0 ? err.kind : ERROR_NONE;
}

static enum error_kind ask_close_in(const char *exec_id)
{
	struct error err = { 0 };

	return tasks_close_in(fixture.tasks, fixture_name("c", exec_id), &err) < 0 ? err.kind : ERROR_NONE;
}

static const struct asked asked_of_init[] = {
	{ "start", PROCESS_ASKED_START, ask_start },	   { "kill", PROCESS_ASKED_KILL, ask_kill },
	{ "pause", PROCESS_ASKED_PAUSE, ask_pause },	   { "resume", PROCESS_ASKED_RESUME, ask_resume },
	{ "delete", PROCESS_ASKED_DELETE, ask_delete },	   { "update", PROCESS_ASKED_UPDATE, ask_update },
	{ "exec", PROCESS_ASKED_EXEC, ask_exec },	   { "resize", PROCESS_ASKED_RESIZE, ask_resize },
	{ "close", PROCESS_ASKED_CLOSE_IO, ask_close_in }, { "checkpoint", PROCESS_ASKED_CHECKPOINT, ask_checkpoint },
};

static const struct asked asked_of_exec[] = {
	{ "start", PROCESS_ASKED_START, ask_start },	   { "kill", PROCESS_ASKED_KILL, ask_kill },
	{ "delete", PROCESS_ASKED_DELETE, ask_delete },	   { "resize", PROCESS_ASKED_RESIZE, ask_resize },
	{ "close", PROCESS_ASKED_CLOSE_IO, ask_close_in },
};

static void remove_container(void)
{
	struct fixture_reply reply;

	if (fixture_state("c", "") == PROCESS_DELETED)
		return;
	fixture_reply_init(&reply, NULL);
	fixture_kill("c", "", SIGKILL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &reply.reply, NULL), 0);
	fixture_until(reply.n_answers);
	cr_assert_eq(fixture_delete("c", ""), ERROR_NONE);
	fake->n_processes = 0;
}

static void check(enum process_kind kind, enum process_state state, const struct asked *asked)
{
	const char *exec_id = kind == PROCESS_INIT ? "" : "e";
	struct error err = { 0 };
	struct state_step step;
	enum error_kind kind_of_answer;

	fixture_make("c", kind == PROCESS_INIT ? state : PROCESS_RUNNING);
	if (kind == PROCESS_EXEC)
		fixture_make_exec("c", exec_id, state);
	state_step(kind, state, asked->event, &step, &err);
	kind_of_answer = asked->ask(exec_id);
	cr_expect_eq(kind_of_answer, err.kind, "%s of %s %s: %d, not %d", asked->name, state_name(state),
		     kind == PROCESS_INIT ? "init" : "exec", kind_of_answer, err.kind);
	if (err.kind == ERROR_NONE)
		cr_expect_eq(fixture_state("c", exec_id), step.next, "%s of %s", asked->name, state_name(state));
	remove_container();
}

Test(tasks_life, every_state_answers_as_the_table_says)
{
	for (enum process_state state = PROCESS_CREATED; state <= PROCESS_STOPPED; state++) {
		for (size_t i = 0; i < ARRAY_SIZE(asked_of_init); i++)
			check(PROCESS_INIT, state, &asked_of_init[i]);
		for (size_t i = 0; state != PROCESS_PAUSED && i < ARRAY_SIZE(asked_of_exec); i++)
			check(PROCESS_EXEC, state, &asked_of_exec[i]);
	}
}

Test(tasks_life, pause_and_update_reach_the_runtime)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	cr_expect_eq(ask_pause(""), ERROR_NONE);
	cr_expect_eq(fixture_state("c", ""), PROCESS_PAUSED);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_PAUSED, "the freezer stops all of it");
	cr_expect_eq(ask_exec(""), ERROR_STATE);
	cr_expect_eq(ask_resume(""), ERROR_NONE);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
	cr_expect_eq(ask_update(""), ERROR_NONE);
	cr_expect_str_eq(fake->last_update, "{\"pids\":1}");
	cr_expect_eq(fake->n_pauses + fake->n_resumes + fake->n_updates, 3);
	cr_expect_str_eq(fixture.events, "create start exec-added/e exec-start/e pause resume ");
}

Test(tasks_life, a_checkpoint_reaches_the_runtime)
{
	fixture_make("c", PROCESS_RUNNING);
	cr_expect_eq(ask_checkpoint(""), ERROR_NONE);
	cr_expect_str_eq(fake->last_images, "/images /work");
	cr_expect_str_eq(fixture.events, "create start checkpoint ");
	fake->checkpoint = FAKE_FAILS;
	cr_expect_eq(ask_checkpoint(""), ERROR_REFUSED);
	cr_expect_str_eq(fixture.events, "create start checkpoint ");
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
}

Test(tasks_life, a_refused_pause_changes_nothing)
{
	fixture_make("c", PROCESS_RUNNING);
	fake->pause = FAKE_FAILS;
	cr_expect_eq(ask_pause(""), ERROR_REFUSED);
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
	cr_expect_eq(fake->n_thaws, 0);
	fake->pause = FAKE_CRASHES;
	cr_expect_eq(ask_pause(""), ERROR_INTERNAL);
	cr_expect_eq(fake->n_thaws, 1, "what was frozen by half is thawed, whatever it looks like");
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
}

Test(tasks_life, what_nobody_made_is_not_found)
{
	struct fixture_reply reply;
	struct error err = { 0 };

	fixture_reply_init(&reply, NULL);
	cr_expect_eq(fixture_start("c", ""), ERROR_NOT_FOUND);
	cr_expect_lt(tasks_wait(fixture.tasks, fixture_name("c", ""), &reply.reply, &err), 0);
	cr_expect_eq(err.kind, ERROR_NOT_FOUND);
	cr_expect_lt(fixture_exec("c", "e", &err), 0);
	cr_expect_eq(err.kind, ERROR_NOT_FOUND);
	fixture_make("c", PROCESS_RUNNING);
	cr_expect_eq(fixture_start("c", "e"), ERROR_NOT_FOUND);
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NOT_FOUND);
}

Test(tasks_life, malformed_requests_are_refused)
{
	char long_id[BRIG_ID_MAX + 2];
	struct fixture_reply reply;
	struct error err = { 0 };
	struct task_create create = { .id = "c", .bundle = "relative", .checkpoint = "", .streams = { "", "", "" } };
	struct task_kill kill = { .name = { "c", "" }, .signal = 65 };

	memset(long_id, 'a', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	fixture_reply_init(&reply, NULL);
	cr_expect_lt(fixture_create("", &reply, &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_lt(fixture_create(long_id, &reply, &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_lt(tasks_create(fixture.tasks, &create, &reply.reply, &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	fixture_make("c", PROCESS_RUNNING);
	cr_expect_lt(fixture_exec("c", "", &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_lt(tasks_kill(fixture.tasks, &kill, &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_eq(reply.n_answers, 0);
}

Test(tasks_life, limits_are_said)
{
	char id[32];
	struct error err = { 0 };

	fixture_make("c", PROCESS_RUNNING);
	for (int i = 0; i < TASKS_EXECS_MAX; i++) {
		snprintf(id, sizeof(id), "e%d", i);
		cr_assert_eq(fixture_exec("c", id, NULL), 0);
	}
	cr_expect_lt(fixture_exec("c", "more", &err), 0);
	cr_expect_eq(err.kind, ERROR_STATE);
	cr_expect(strstr(err.message, "4096 execs are the most"), "%s", err.message);
	cr_expect_eq(fixture_delete("c", "e0"), ERROR_NONE);
	cr_expect_eq(fixture_exec("c", "more", NULL), 0);
}

Test(tasks_life, requests_wait_in_order_up_to_a_bound)
{
	static struct fixture_reply replies[200];
	struct fixture_reply created, started, deleted;
	struct error err = { 0 };
	int n = 0, r = 0;

	fake->create = FAKE_HANGS;
	fixture_reply_init(&created, "created");
	fixture_reply_init(&started, "started");
	fixture_reply_init(&deleted, "deleted");
	cr_assert_eq(fixture_create("c", &created, NULL), 0);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", ""), &started.reply, NULL), 0);
	while (n < 200 && r == 0) {
		fixture_reply_init(&replies[n], NULL);
		r = update(fixture.tasks, "c", &replies[n].reply, &err);
		n += r == 0;
	}
	cr_expect_eq(n, 126);
	cr_expect_eq(err.kind, ERROR_STATE);
	cr_expect(strstr(err.message, "too many requests wait"), "%s", err.message);
	fake->release = true;
	fixture_until(replies[n - 1].n_answers);
	cr_expect_eq(fake->n_updates, 126);
	cr_expect_str_eq(fixture.events, "create created start started ");
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, &err) < 0, 1);
}

Test(tasks_life, an_abandoned_request_is_served_without_an_answer)
{
	struct fixture_reply created, waited;

	fixture_reply_init(&created, NULL);
	fixture_reply_init(&waited, NULL);
	cr_assert_eq(fixture_create("c", &created, NULL), 0);
	tasks_abandon(fixture.tasks, &created.reply);
	fixture_until(fixture_state("c", "") == PROCESS_CREATED);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &waited.reply, NULL), 0);
	tasks_abandon(fixture.tasks, &waited.reply);
	cr_assert_eq(fixture_kill("c", "", SIGKILL), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_eq(created.n_answers + waited.n_answers, 0);
}

Test(tasks_life, pids_name_their_exec)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct task_pid *list = NULL;
	size_t n = 0;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	cr_assert_eq(tasks_pids(fixture.tasks, "c", arena, &list, &n, NULL), 0);
	cr_assert_eq(n, 2);
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(list[i].pid, fake_pid(list[i].exec_id), "%d: '%s'", list[i].pid, list[i].exec_id);
	cr_expect_str_neq(list[0].exec_id, list[1].exec_id);
}

/* containerd, started again, ends a shim that has no process to show. */
Test(tasks_life, what_ended_has_a_pid_until_it_is_deleted)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct task_pid *list = NULL;
	size_t n = 0;
	pid_t pid;

	fixture_make("c", PROCESS_RUNNING);
	pid = fake_pid("");
	cr_assert_eq(fixture_kill("c", "", SIGKILL), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fake->group_is_empty = true;
	cr_assert_eq(tasks_pids(fixture.tasks, "c", arena, &list, &n, NULL), 0);
	cr_assert_eq(n, 1);
	cr_expect_eq(list[0].pid, pid);
	cr_expect_str_eq(list[0].exec_id, "");
	cr_expect_not(tasks_has_unread(fixture.tasks, "c"));
	fake->has_unread = true;
	cr_expect(tasks_has_unread(fixture.tasks, "c"));
	cr_expect_not(tasks_has_unread(fixture.tasks, "none"));
}

Test(tasks_life, input_closed_before_the_start_of_an_exec_stays_closed)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	cr_expect_eq(tasks_close_in(fixture.tasks, fixture_name("c", "e"), NULL), 0);
	cr_expect_eq(fake->n_closed_in, 0);
	cr_expect_eq(fixture_start("c", "e"), ERROR_NONE);
	cr_expect_eq(fake->n_closed_in, 1);
}

Test(tasks_life, without_control_groups_signals_go_by_descriptor)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct brig_metrics metrics;
	struct error err = { 0 };

	fake->no_groups = true;
	fixture_make("c", PROCESS_RUNNING);
	cr_expect_lt(tasks_metrics(fixture.tasks, "c", arena, &metrics, &err), 0);
	cr_expect_eq(err.kind, ERROR_UNSUPPORTED);
	cr_expect_eq(fixture_kill("c", "", SIGKILL), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_group_kills, 0);
}
