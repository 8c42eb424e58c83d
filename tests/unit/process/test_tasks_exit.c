#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"
#include "tests/support/rounds.h"

TestSuite(tasks_exit, .init = fixture_begin, .fini = fixture_end);

static bool was_told(const char *event)
{
	return strstr(fixture.events, event);
}

Test(tasks_exit, an_exit_before_the_answer_to_the_start_is_told_after_it)
{
	struct fixture_reply started;

	fixture_make("c", PROCESS_CREATED);
	fake->start = FAKE_EXITS_AT_ONCE;
	fixture_reply_init(&started, "started");
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", ""), &started.reply, NULL), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_str_eq(fixture.events, "create ", "the start is under way");
	fake->release = true;
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create start started exit:7 ");
	cr_expect(!started.has_failed);
	cr_expect_eq(fixture_state("c", ""), PROCESS_STOPPED, "not running by the late answer");
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
}

Test(tasks_exit, an_exec_that_ends_at_once_keeps_its_status)
{
	fixture_make("c", PROCESS_RUNNING);
	fake->exec = FAKE_EXITS_AT_ONCE;
	for (int i = 0; i < 50; i++) {
		struct fixture_reply waited;
		char id[16];

		snprintf(id, sizeof(id), "e%d", i);
		fixture.events[0] = '\0';
		cr_assert_eq(fixture_exec("c", id, NULL), 0);
		fixture_reply_init(&waited, NULL);
		cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", id), &waited.reply, NULL), 0);
		cr_assert_eq(fixture_start("c", id), ERROR_NONE);
		fixture_until(waited.n_answers);
		cr_assert_eq(waited.exit_status, 7, "not lost to the reaper of orphans");
		cr_assert_lt(strstr(fixture.events, "exec-start"), strstr(fixture.events, "exit/"));
		cr_assert_eq(fixture_delete("c", id), ERROR_NONE);
	}
}

Test(tasks_exit, the_init_is_told_after_its_execs)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e1", PROCESS_RUNNING);
	fixture_make_exec("c", "e2", PROCESS_RUNNING);
	fixture.events[0] = '\0';
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(was_told("exit:7 "));
	cr_expect(was_told("exit/e1:137 "), "%s", fixture.events);
	cr_expect(was_told("exit/e2:137 "), "%s", fixture.events);
	cr_expect_str_eq(strstr(fixture.events, "exit:7 "), "exit:7 ", "the last");
	cr_expect_gt(fake->n_group_kills_all, 0, "nobody else ends what shares the host's pid namespace");
}

Test(tasks_exit, an_exec_that_is_being_made_holds_back_the_init)
{
	struct fixture_reply started;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->exec = FAKE_HANGS;
	fixture_reply_init(&started, "started");
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e"), &started.reply, NULL), 0);
	fixture_until(fake->n_execs == 1);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect(!was_told("exit"));
	fake->release = true;
	fixture_until(was_told("exit:7"));
	cr_expect(was_told("exec-start/e started exit/e:137 exit:7 "),
		  "it is killed, since its container has ended: %s", fixture.events);
}

Test(tasks_exit, output_is_drained_before_the_exit_is_told)
{
	struct fixture_reply waited, deleted;

	fixture_make("c", PROCESS_RUNNING);
	fake->hold_drain = true;
	fixture_reply_init(&waited, "waited");
	fixture_reply_init(&deleted, "deleted");
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &waited.reply, NULL), 0);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fake->n_drains == 1);
	cr_expect_eq(fixture_state("c", ""), PROCESS_STOPPED);
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, NULL), 0);
	fixture_settle();
	cr_expect_eq(fake->n_deletes, 0);
	cr_expect_str_eq(fixture.events, "create start ");
	fake_drain_all();
	fixture_until(deleted.n_answers);
	cr_expect_str_eq(fixture.events, "create start exit:7 waited delete deleted ");
}

Test(tasks_exit, output_is_read_before_the_exit_is_told)
{
	fixture_make("c", PROCESS_RUNNING);
	fake->is_being_read = true;
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_not(was_told("exit"));
	fake->is_being_read = false;
	fixture_until(was_told("exit:7"));
}

Test(tasks_exit, an_exec_is_deleted_after_its_exit_was_told)
{
	struct fixture_reply deleted;

	fixture_make("c", PROCESS_RUNNING);
	fake->hold_drain = true;
	fixture_make_exec("c", "e", PROCESS_STOPPED);
	fixture_reply_init(&deleted, "deleted");
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", "e"), &deleted.reply, NULL), 0);
	fixture_settle();
	cr_expect_eq(deleted.n_answers, 0);
	fake_drain_all();
	fixture_until(deleted.n_answers);
	cr_expect(was_told("exit/e:7 deleted "), "%s", fixture.events);
}

Test(tasks_exit, a_created_container_that_is_deleted_ends_first)
{
	fixture_make("c", PROCESS_CREATED);
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
	cr_expect_str_eq(fixture.events, "create exit:137 delete ");
	cr_expect_eq(fake->n_deletes, 1);
}

Test(tasks_exit, a_created_container_that_dies_is_told)
{
	fixture_make("c", PROCESS_CREATED);
	kill(fake_pid(""), SIGKILL);
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create exit:137 ");
	cr_expect_eq(fixture_start("c", ""), ERROR_STATE);
}

Test(tasks_exit, a_wait_after_the_end_is_answered_at_once)
{
	struct fixture_reply waited;

	fixture_make("c", PROCESS_STOPPED);
	fixture_reply_init(&waited, NULL);
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", ""), &waited.reply, NULL), 0);
	cr_expect_eq(waited.n_answers, 1);
	cr_expect_eq(waited.exit_status, 7);
	cr_expect_eq(fixture_kill("c", "", SIGKILL), -ESRCH);
}

Test(tasks_exit, sigkill_of_an_exec_takes_what_it_started)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "e", SIGKILL), 0);
	fixture_until(fixture_state("c", "e") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_group_kills, 2, "with it, and once more what was being forked");
	cr_expect_eq(fake->n_group_kills_all, 0);
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
}

Test(tasks_exit, all_reaches_every_process)
{
	struct task_kill request = { .name = { "c", "" }, .signal = SIGTERM, .all = true };

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	cr_assert_eq(tasks_kill(fixture.tasks, &request, NULL), 0);
	fixture_until(was_told("exit:7 "));
	cr_expect_eq(fake->n_group_signals, 1);
}

Test(tasks_exit, out_of_memory_is_told_once_per_change_and_at_the_end)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture.events[0] = '\0';
	fake_report_oom(0);
	fixture_settle();
	cr_expect_str_eq(fixture.events, "", "memory.events changes for other reasons as well");
	fake_report_oom(2);
	fixture_until(was_told("oom"));
	fake_report_oom(3);
	fixture_until(strlen(fixture.events) == 2 * strlen("oom "));
	fake->oom_count = 4; /* seen by nobody before the end */
	kill(fake_pid(""), SIGKILL);
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "oom oom oom exit:137 ");
}

/* v1's way: the count follows the event, which does not come again. */
Test(tasks_exit, out_of_memory_that_is_counted_late_is_told)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture.events[0] = '\0';
	fake_report_oom(0);
	fixture_settle();
	fake->oom_count = 1;
	fixture_until(was_told("oom"));
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
}

/* Under the address sanitizer memory is not malloc's, and it looks for leaks by itself. */
#define EXECS 2000

/* The slope over many execs, without a container's fork in each round being measured: what the shim keeps of one. */
Test(tasks_exit, nothing_stays_of_an_exec, .timeout = 300)
{
	const unsigned n_execs = rounds_of(EXECS);
	size_t before = 0, after;

	fixture_make("c", PROCESS_RUNNING);
	fake->exec = FAKE_EXITS_AT_ONCE;
	for (unsigned i = 0; i < n_execs; i++) {
		struct fixture_reply waited;

		if (i == n_execs / 2)
			before = mallinfo2().uordblks;
		fixture.events[0] = '\0';
		fake->n_processes = 1;
		cr_assert_eq(fixture_exec("c", "e", NULL), 0);
		fixture_reply_init(&waited, NULL);
		cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &waited.reply, NULL), 0);
		cr_assert_eq(fixture_start("c", "e"), ERROR_NONE);
		fixture_until(waited.n_answers);
		cr_assert_eq(fixture_delete("c", "e"), ERROR_NONE);
	}
	fixture_settle();
	after = mallinfo2().uordblks;
	/* A worker or two that is not reaped yet; one byte an exec would be 1,000. */
	cr_expect_lt(after, before + EXECS / 2, "%zu bytes more after %u execs", after - before, n_execs / 2);
}
