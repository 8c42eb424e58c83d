#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"

TestSuite(tasks_failure, .init = fixture_begin, .fini = fixture_end);

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static enum error_kind create_fails(struct fixture_reply *reply)
{
	struct error err = { 0 };

	fixture_reply_init(reply, NULL);
	if (fixture_create("c", reply, &err) < 0) {
		reply->err = err;
		return err.kind;
	}
	fixture_until(reply->n_answers);
	cr_expect(reply->has_failed);
	return reply->err.kind;
}

static void expect_nothing(void)
{
	cr_expect_eq(tasks_count(fixture.tasks), 0);
	cr_expect_eq(fake->n_io, 0);
	cr_expect_str_eq(fixture.events, "");
}

Test(tasks_failure, streams_that_cannot_be_opened)
{
	struct fixture_reply reply;

	fake->io_open_fails = true;
	cr_expect_eq(create_fails(&reply), ERROR_NOT_FOUND);
	cr_expect(strstr(reply.err.message, "create container c: open the streams: no such fifo"), "%s",
		  reply.err.message);
	cr_expect_eq(fake->n_creates, 0);
	expect_nothing();
}

Test(tasks_failure, a_create_that_the_runtime_refuses_is_not_undone_again)
{
	struct fixture_reply reply;

	fake->create = FAKE_FAILS;
	cr_expect_eq(create_fails(&reply), ERROR_REFUSED);
	cr_expect_eq(fake->n_deletes, 0, "the id may be somebody else's");
	expect_nothing();
	fake->create = FAKE_WORKS;
	fixture_make("c", PROCESS_CREATED);
}

Test(tasks_failure, a_create_whose_worker_crashes_is_undone)
{
	struct fixture_reply reply;

	fake->create = FAKE_CRASHES_LATE;
	cr_expect_eq(create_fails(&reply), ERROR_INTERNAL);
	cr_expect(strstr(reply.err.message, "killed by signal 6"), "%s", reply.err.message);
	cr_expect_eq(fake->n_deletes, 1, "before the answer");
	fixture_until(is_gone(fake_pid("")));
	expect_nothing();
}

Test(tasks_failure, an_undo_that_fails_does_not_hide_the_reason)
{
	struct fixture_reply reply;

	fake->create = FAKE_CRASHES;
	fake->delete = FAKE_CRASHES;
	cr_expect_eq(create_fails(&reply), ERROR_INTERNAL);
	cr_expect(strstr(reply.err.message, "create container c: the worker was killed by signal 11"), "%s",
		  reply.err.message);
	expect_nothing();
}

Test(tasks_failure, a_container_that_the_shim_cannot_take_over_is_undone)
{
	struct fixture_reply reply;

	fake->group_open_fails = true;
	cr_expect_eq(create_fails(&reply), ERROR_SYSTEM);
	cr_expect_eq(fake->n_deletes, 1);
	fixture_until(is_gone(fake_pid("")));
	fake->group_open_fails = false;
	fake->io_begin_fails = true;
	cr_expect_eq(create_fails(&reply), ERROR_SYSTEM);
	cr_expect_eq(fake->n_deletes, 2);
	fixture_until(is_gone(fake_pid("")));
	expect_nothing();
}

Test(tasks_failure, who_waits_behind_a_failed_create_is_told)
{
	struct fixture_reply created, started, deleted;

	fake->create = FAKE_HANGS;
	fixture_reply_init(&created, "created");
	fixture_reply_init(&started, "started");
	fixture_reply_init(&deleted, "deleted");
	cr_assert_eq(fixture_create("c", &created, NULL), 0);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", ""), &started.reply, NULL), 0);
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, NULL), 0);
	fixture_until(fake->n_creates == 1);
	fake->group_open_fails = true;
	fake->release = true;
	fixture_until(deleted.n_answers);
	cr_expect_str_eq(fixture.events, "created started deleted ");
	cr_expect_eq(started.err.kind, ERROR_NOT_FOUND);
	cr_expect_eq(deleted.err.kind, ERROR_NOT_FOUND);
	cr_expect_eq(tasks_count(fixture.tasks), 0);
}

Test(tasks_failure, a_refused_start_leaves_the_container_created)
{
	fixture_make("c", PROCESS_CREATED);
	fake->start = FAKE_FAILS;
	cr_expect_eq(fixture_start("c", ""), ERROR_REFUSED);
	cr_expect_eq(fixture_state("c", ""), PROCESS_CREATED);
	fake->start = FAKE_WORKS;
	cr_expect_eq(fixture_start("c", ""), ERROR_NONE);
}

Test(tasks_failure, a_start_of_unknown_outcome_ends_the_container)
{
	fixture_make("c", PROCESS_CREATED);
	fake->start = FAKE_CRASHES_LATE;
	cr_expect_eq(fixture_start("c", ""), ERROR_INTERNAL);
	fixture_until(strstr(fixture.events, "exit"));
	cr_expect_str_eq(fixture.events, "create exit:137 ",
			 "it may have run while the caller was told that it does not");
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
}

Test(tasks_failure, an_exec_that_fails_can_be_deleted_and_does_not_hold_back_the_init)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->exec = FAKE_FAILS;
	cr_expect_eq(fixture_start("c", "e"), ERROR_REFUSED);
	cr_expect_eq(fake->n_group_kills, 0);
	fake->exec = FAKE_CRASHES_LATE;
	cr_expect_eq(fixture_start("c", "e"), ERROR_INTERNAL);
	fixture_until(is_gone(fake_pid("e")));
	cr_expect_eq(fixture_state("c", "e"), PROCESS_CREATED);
	cr_expect_eq(fake->n_io, 1, "that of the init");
	fixture_make_exec("c", "other", PROCESS_CREATED);
	fake->exec = FAKE_WORKS;
	fake->io_begin_fails = true;
	cr_expect_eq(fixture_start("c", "other"), ERROR_SYSTEM);
	fixture_until(is_gone(fake_pid("other")));
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NONE);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(strstr(fixture.events, "exit:7 "));
	cr_expect_null(strstr(fixture.events, "exec-start"), "%s", fixture.events);
}

Test(tasks_failure, an_exec_can_be_started_again_after_a_failure)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->exec = FAKE_CRASHES_LATE;
	cr_expect_eq(fixture_start("c", "e"), ERROR_INTERNAL);
	fake->exec = FAKE_WORKS;
	cr_expect_eq(fixture_start("c", "e"), ERROR_NONE);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
}

Test(tasks_failure, who_waits_for_an_exec_whose_start_fails_is_told_after_it)
{
	struct fixture_reply waited, started, again;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fixture.events[0] = '\0';
	fake->exec = FAKE_FAILS;
	fixture_reply_init(&waited, "waited");
	fixture_reply_init(&started, "started");
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &waited.reply, NULL), 0);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e"), &started.reply, NULL), 0);
	fixture_until(waited.n_answers);
	cr_expect_str_eq(fixture.events, "started waited ");
	cr_expect(!waited.has_failed);
	cr_expect_eq(waited.exit_status, 255, "it has not run: never 0");
	fixture_reply_init(&again, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &again.reply, NULL), 0);
	cr_expect_eq(again.n_answers, 1, "at once");
}

Test(tasks_failure, who_waits_for_an_exec_whose_streams_cannot_be_opened_is_told)
{
	struct fixture_reply waited;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->io_open_fails = true;
	fixture_reply_init(&waited, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &waited.reply, NULL), 0);
	cr_expect_neq(fixture_start("c", "e"), ERROR_NONE);
	fixture_until(waited.n_answers);
	cr_expect_eq(waited.exit_status, 255);
}

Test(tasks_failure, who_waits_for_an_exec_that_is_started_again_waits_for_its_end)
{
	struct fixture_reply waited;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->exec = FAKE_FAILS;
	cr_expect_eq(fixture_start("c", "e"), ERROR_REFUSED);
	fake->exec = FAKE_WORKS;
	cr_expect_eq(fixture_start("c", "e"), ERROR_NONE);
	cr_expect_neq(fixture_start("c", "e"), ERROR_NONE, "it runs");
	fixture_reply_init(&waited, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &waited.reply, NULL), 0);
	fixture_settle();
	cr_expect_eq(waited.n_answers, 0);
	cr_assert_eq(fixture_kill("c", "e", SIGTERM), 0);
	fixture_until(waited.n_answers);
	cr_expect_eq(waited.exit_status, 7);
}

Test(tasks_failure, a_delete_that_fails_can_be_repeated)
{
	fixture_make("c", PROCESS_STOPPED);
	fake->delete = FAKE_FAILS;
	cr_expect_eq(fixture_delete("c", ""), ERROR_REFUSED);
	cr_expect_eq(fixture_state("c", ""), PROCESS_STOPPED);
	fake->delete = FAKE_CRASHES;
	cr_expect_eq(fixture_delete("c", ""), ERROR_INTERNAL);
	fake->delete = FAKE_WORKS;
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
	cr_expect_null(strstr(strstr(fixture.events, "delete") + 1, "delete"), "told once: %s", fixture.events);
}

Test(tasks_failure, execs_go_with_their_container)
{
	struct fixture_reply waited;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "never", PROCESS_CREATED);
	fixture_make_exec("c", "ended", PROCESS_STOPPED);
	fixture_reply_init(&waited, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "never"), &waited.reply, NULL), 0);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
	cr_expect_eq(waited.n_answers, 1);
	cr_expect_eq(waited.err.kind, ERROR_NOT_FOUND);
}

Test(tasks_failure, a_shim_that_goes_leaves_its_containers)
{
	struct fixture_reply waited, created;
	pid_t pid;

	fixture_make("c", PROCESS_RUNNING);
	pid = fake_pid("");
	fixture_reply_init(&waited, NULL);
	fixture_reply_init(&created, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &waited.reply, NULL), 0);
	fake->create = FAKE_HANGS;
	cr_assert_eq(fixture_create("d", &created, NULL), 0);
	tasks_free(fixture.tasks);
	fixture.tasks = NULL;
	cr_expect_eq(kill(pid, 0), 0);
	cr_expect_eq(waited.n_answers + created.n_answers, 0, "who asked may be gone already");
}
