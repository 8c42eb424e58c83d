/* What is bounded: how long an end is waited for, and how many workers there are at a time. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"

#define MS UINT64_C(1000000)
#define HOUR (3600 * 1000 * MS)
#define WORKERS 3

static void begin_kill(void)
{
	/* Within it a process that is killed has to be gone, also where the machine has other work. */
	fixture_begin_with(&(struct tasks_bounds){ .kill = 1000 * MS, .drain = HOUR, .execs = HOUR },
			   /* max_workers= */ 0);
}

static void begin_execs(void)
{
	fixture_begin_with(&(struct tasks_bounds){ .kill = HOUR, .drain = HOUR, .execs = 20 * MS }, /* max_workers= */ 1);
}

static void begin_drain(void)
{
	fixture_begin_with(&(struct tasks_bounds){ .kill = HOUR, .drain = 20 * MS, .execs = HOUR }, /* max_workers= */ 0);
}

static void begin_workers(void)
{
	fixture_begin_with(&(struct tasks_bounds){ 0 }, WORKERS);
}

static void begin_work(void)
{
	/* Long enough for a container to be made on a machine that has other work. */
	fixture_begin_with(&(struct tasks_bounds){ .work = 2000 * MS }, /* max_workers= */ 0);
}

TestSuite(bound_work, .init = begin_work, .fini = fixture_end);
TestSuite(bound_kill, .init = begin_kill, .fini = fixture_end);
TestSuite(bound_execs, .init = begin_execs, .fini = fixture_end);
TestSuite(bound_drain, .init = begin_drain, .fini = fixture_end);
TestSuite(bound_workers, .init = begin_workers, .fini = fixture_end);

Test(bound_kill, one_that_does_not_work_is_repeated_and_reported)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	fake->unkillable = fake_pid("e");
	cr_assert_eq(fixture_kill("c", "e", SIGKILL), 0);
	cr_expect_eq(fake->n_group_kills, 1);
	fixture_until(fake->n_stuck_asked > 0);
	cr_expect_geq(fake->n_group_kills, 2);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
	fake->unkillable = 0;
	fixture_until(strstr(fixture.events, "exit/e:137"));
}

Test(bound_kill, a_delete_does_not_wait_for_ever)
{
	struct fixture_reply deleted;

	fixture_make("c", PROCESS_CREATED);
	fake->unkillable = fake_pid("");
	fixture_reply_init(&deleted, NULL);
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, NULL), 0);
	fixture_until(deleted.n_answers);
	cr_expect_eq(deleted.err.kind, ERROR_TIMEOUT, "%s", deleted.err.message);
	cr_expect_eq(fake->n_stuck_asked, 1);
	fake->unkillable = 0;
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE, "it can be repeated");
}

Test(bound_execs, those_that_do_not_end_hold_back_the_container_no_longer)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	fixture.events[0] = '\0';
	fake->unkillable = fake_pid("e");
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(strstr(fixture.events, "exit:7 "));
	cr_expect_str_eq(fixture.events, "exit:7 ", "the exec has not ended");
	cr_expect_eq(fake->n_stuck_asked, 1);
}

Test(bound_execs, those_that_are_being_made_or_wait_for_a_worker_are_cancelled)
{
	struct fixture_reply first, second;

	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e1", PROCESS_CREATED);
	fixture_make_exec("c", "e2", PROCESS_CREATED);
	fake->exec = FAKE_HANGS;
	fixture_reply_init(&first, NULL);
	fixture_reply_init(&second, NULL);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e1"), &first.reply, NULL), 0);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e2"), &second.reply, NULL), 0);
	fixture_until(fake->n_execs == 1);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(first.n_answers && second.n_answers);
	cr_expect_eq(first.err.kind, ERROR_STATE);
	cr_expect_eq(second.err.kind, ERROR_STATE);
	fixture_until(strstr(fixture.events, "exit:7 "));
	cr_expect_eq(fake->n_execs, 1, "the second was never begun");
	fake->release = true;
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE, "there is a turn left for it");
}

static void create(const char *id, struct fixture_reply *reply)
{
	fixture_reply_init(reply, id);
	cr_assert_eq(fixture_create(id, reply, NULL), 0);
}

Test(bound_drain, a_reader_that_does_not_read_holds_the_news_back_no_longer)
{
	fixture_make("c", PROCESS_RUNNING);
	fake->is_being_read = true;
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(strstr(fixture.events, "exit:7"));
}

Test(bound_workers, others_wait_for_their_turn_and_come_in_order)
{
	struct fixture_reply replies[2 * WORKERS + 1];
	char ids[ARRAY_SIZE(replies)][8];

	fake->create = FAKE_HANGS;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		snprintf(ids[i], sizeof(ids[i]), "c%zu", i);
		create(ids[i], &replies[i]);
	}
	fixture_until(fake->n_creates == WORKERS);
	fixture_settle();
	cr_expect_eq(fake->n_creates, WORKERS);
	fake->release = true;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		fixture_until(replies[i].n_answers);
	cr_expect_eq(fake->n_creates, ARRAY_SIZE(replies));
	cr_expect_eq(tasks_count(fixture.tasks), ARRAY_SIZE(replies));
}

Test(bound_workers, the_undo_of_a_dead_one_needs_no_turn)
{
	struct fixture_reply hanging[WORKERS - 1], crashed, waiting;

	fake->create = FAKE_HANGS;
	create("a", &hanging[0]);
	create("b", &hanging[1]);
	fixture_until(fake->n_creates == WORKERS - 1);
	fake->create = FAKE_CRASHES_LATE;
	create("crashes", &crashed);
	create("waits", &waiting);
	fixture_until(crashed.n_answers);
	cr_expect_eq(crashed.err.kind, ERROR_INTERNAL);
	cr_expect_geq(fake->n_deletes, 1);
	fixture_until(waiting.n_answers);
	cr_expect_eq(hanging[0].n_answers + hanging[1].n_answers, 0);
	fake->release = true;
	fixture_until(hanging[0].n_answers && hanging[1].n_answers);
}

Test(bound_workers, the_shim_may_end_while_some_wait)
{
	struct fixture_reply replies[WORKERS + 2];

	fake->create = FAKE_HANGS;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		create((const char *[]){ "a", "b", "c", "d", "e" }[i], &replies[i]);
	fixture_until(fake->n_creates == WORKERS);
}

Test(bound_work, of_an_exec_that_the_freezer_holds_it_says_so)
{
	struct fixture_reply started;
	struct error err = { 0 };

	fixture_make("c", PROCESS_RUNNING);
	cr_assert_eq(fixture_exec("c", "e", &err), 0, "%s", err.message);
	fixture_reply_init(&started, NULL);
	fake->exec = FAKE_HANGS;
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e"), &started.reply, NULL), 0);
	fixture_until(fake->n_execs == 1);
	fake->is_frozen = true;
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_TIMEOUT);
	cr_expect(strstr(started.err.message, "within 2.000 s: its control group is frozen; resume the container"),
		  "%s", started.err.message);
}
