/* Start without a worker: the shim tells the first process to go on, and hears of it from the loop. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "tasks_fixture.h"

static void begin(void)
{
	fixture_begin();
	fake->starts_simply = true;
}

TestSuite(tasks_start, .init = begin, .fini = fixture_end);

/* A start that is under way. */
static void tell(struct fixture_reply *reply)
{
	struct error err = { 0 };

	fixture_make("c", PROCESS_CREATED);
	fixture_reply_init(reply, "started");
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", ""), &reply->reply, &err), 0, "%s", err.message);
}

Test(tasks_start, what_runs_has_started)
{
	struct fixture_reply started;

	tell(&started);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0, "it has not said yet that it runs");
	fake_starter_says(FAKE_WARNS);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	cr_expect_not(started.has_failed, "%s", started.err.message);
	cr_expect_eq(started.pid, fake_pid(""));
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
	cr_expect_eq(fake->n_starts, 0, "no worker did it");
	cr_expect_eq(fake->n_starters_open, 0);
	cr_expect_str_eq(fixture.events, "create start started ");
}

Test(tasks_start, what_fails_says_why)
{
	struct fixture_reply started;

	tell(&started);
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_PROGRAM);
	cr_expect_str_eq(started.err.message, "start container c: exec: no such program");
	cr_expect_eq(fake->n_group_kills, 0, "it ends itself");
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_start, what_goes_astray_is_ended)
{
	struct fixture_reply started;

	tell(&started);
	fake_starter_says(FAKE_TALKS_NONSENSE);
	fixture_until(started.n_answers);
	cr_expect(started.has_failed);
	cr_expect_gt(fake->n_group_kills, 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_start, an_end_meanwhile_is_told_after_the_answer)
{
	struct fixture_reply started;

	tell(&started);
	kill(fake_pid(""), SIGTERM);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	fake_starter_says(FAKE_RUNS);
	fixture_until(strstr(fixture.events, "exit"));
	cr_expect_str_eq(fixture.events, "create start started exit:7 ");
}

Test(tasks_start, a_listener_is_served_before_the_program_runs)
{
	struct fixture_reply started;

	tell(&started);
	fake_starter_says(FAKE_GIVES_LISTENER);
	fixture_until(fake->listener_fd > 0);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	cr_expect_geq(fcntl(fake->listener_fd, F_GETFD), 0, "somebody has it");
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	cr_expect_not(started.has_failed);
}

Test(tasks_start, others_are_served_while_one_says_nothing)
{
	struct fixture_reply started;

	tell(&started);
	fake->starts_simply = false;
	fixture_make("other", PROCESS_RUNNING);
	cr_expect_eq(started.n_answers, 0);
	cr_expect_eq(fake->n_starters, 1);
}

Test(tasks_start, the_end_of_the_shim_lets_go_of_it)
{
	struct fixture_reply started;

	tell(&started);
	tasks_free(fixture.tasks);
	fixture.tasks = NULL;
	cr_expect_eq(fake->n_starters_open, 0);
	cr_expect_eq(started.n_answers, 0);
}

static void expect_worker(void)
{
	fixture_make("c", PROCESS_CREATED);
	cr_expect_eq(fixture_start("c", ""), ERROR_NONE);
	cr_expect_eq(fake->n_starts, 1);
	cr_expect_eq(fake->n_starters, 0);
}

Test(tasks_start, a_worker_starts_what_has_hooks_or_a_trail)
{
	fake->starts_simply = false;
	expect_worker();
}

Test(tasks_start, a_worker_starts_what_the_shim_would_have_to_wait_for)
{
	fake->starter_is_refused = true;
	expect_worker();
}

Test(tasks_start, a_worker_refuses_what_is_frozen)
{
	fake->is_frozen = true;
	expect_worker();
}

Test(tasks_start, what_is_stopped_is_ended_and_told_of)
{
	struct fixture_reply started;

	tell(&started);
	fake->starter_is_stopped = true;
	fixture_until(started.n_answers);
	cr_expect(strstr(started.err.message, "stopped by a signal"), "%s", started.err.message);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_starters_open, 0);
}

static void begin_with_bound(void)
{
	static const struct tasks_bounds bounds = { .start = 20000000 };

	fixture_begin_with(&bounds, 0);
	fake->starts_simply = true;
}

TestSuite(tasks_start_bound, .init = begin_with_bound, .fini = fixture_end);

Test(tasks_start_bound, what_says_nothing_is_ended)
{
	struct fixture_reply started;

	tell(&started);
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_TIMEOUT);
	cr_expect(strstr(started.err.message, "has not said within 20 ms"), "%s", started.err.message);
	cr_expect_gt(fake->n_group_kills, 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_start_bound, what_is_frozen_is_called_so)
{
	struct fixture_reply started;

	tell(&started);
	fake->is_frozen = true;
	fixture_until(started.n_answers);
	cr_expect(strstr(started.err.message, "its control group is frozen"), "%s", started.err.message);
}
