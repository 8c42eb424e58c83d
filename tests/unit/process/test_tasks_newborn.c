/* An exec whose process was handed over: the shim hears from it what becomes of the start. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tasks_fixture.h"

static void begin_with(const struct tasks_bounds *bounds)
{
	fixture_begin_with(bounds, 0);
	fake->hands_over = true;
	/* Every word is heard as it comes; where it says no, the end of the conversation alone, which the real process's execve is. */
	fake->may_pass_listener = true;
}

static void begin(void)
{
	begin_with(&(struct tasks_bounds){ 0 });
}

TestSuite(tasks_newborn, .init = begin, .fini = fixture_end);

/* A start whose worker is gone, and whose process has said nothing yet. */
static void begin_start(struct fixture_reply *reply)
{
	unsigned n_starters = fake->n_starters;
	struct error err = { 0 };

	fixture_reply_init(reply, "started");
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e"), &reply->reply, &err), 0, "%s", err.message);
	fixture_until(fake->n_starters > n_starters);
	fake_take_newborn("e");
}

static void let_go(struct fixture_reply *reply)
{
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	begin_start(reply);
}

static void end_newborn(void)
{
	close(fake->starter_peer_fd);
	kill(fake_pid("e"), SIGKILL);
}

Test(tasks_newborn, what_runs_has_started)
{
	struct fixture_reply started;

	let_go(&started);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0, "it has not said yet that it runs");
	cr_expect_eq(fixture_state("c", "e"), PROCESS_CREATED);
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	cr_expect_not(started.has_failed, "%s", started.err.message);
	cr_expect_eq(started.pid, fake_pid("e"));
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
	cr_expect_eq(fake->n_starters_open, 0);
	cr_expect_str_eq(fixture.events, "create start exec-added/e exec-start/e started ");
}

Test(tasks_newborn, its_input_is_closed_once_its_streams_have_begun)
{
	const struct task_size size = { .width = 80, .height = 24 };
	struct fixture_reply started;
	struct error err = { 0 };

	let_go(&started);
	cr_assert_eq(tasks_close_in(fixture.tasks, fixture_name("c", "e"), &err), 0, "%s", err.message);
	cr_assert_eq(tasks_resize(fixture.tasks, fixture_name("c", "e"), size, &err), 0, "%s", err.message);
	cr_expect_eq(fake->n_closed_in, 0, "there is nothing to close yet, and a terminal would lose its end");
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	cr_expect_eq(fake->n_closed_in, 1);
}

Test(tasks_newborn, what_fails_says_why_once_it_is_gone)
{
	struct fixture_reply started;
	unsigned releases;

	let_go(&started);
	releases = fake->n_group_releases;
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_PROGRAM);
	cr_expect_str_eq(started.err.message, "start exec e of container c: exec: no such program");
	cr_expect_lt(kill(fake_pid("e"), 0), 0, "it is reaped");
	cr_expect_gt(fake->n_group_releases, releases);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_CREATED);
	cr_expect_eq(started.pid, 0);
	cr_expect_eq(fake->n_recorded, 0, "there is no trail");
	cr_expect_eq(fake->n_starters_open, 0);
	cr_expect_not(strstr(fixture.events, "exit"));
}

Test(tasks_newborn, what_has_failed_can_be_started_again)
{
	struct fixture_reply first, second;

	let_go(&first);
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(first.n_answers);
	begin_start(&second);
	fake_starter_says(FAKE_RUNS);
	fixture_until(second.n_answers);
	cr_expect_not(second.has_failed, "%s", second.err.message);
	cr_assert_eq(fixture_kill("c", "e", SIGTERM), 0);
	fixture_until(strstr(fixture.events, "exit/e:7"));
}

Test(tasks_newborn, a_failure_is_in_the_trail_before_it_is_told)
{
	struct fixture_reply started;

	fake->audits = true;
	let_go(&started);
	fake->record = FAKE_HANGS;
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(fake->n_recorded == 1);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	fake->release = true;
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_PROGRAM);
	cr_expect_str_eq(fake->recorded[0], "c e 0 exec: no such program");
	cr_expect_eq(fake->recorded_pid, fake_pid("e"));
}

Test(tasks_newborn, neither_who_waits_nor_the_end_of_the_container_comes_before_that)
{
	struct fixture_reply started, waited, deleted;

	fake->audits = true;
	let_go(&started);
	fixture_reply_init(&waited, "waited");
	fixture_reply_init(&deleted, "deleted");
	fake->record = FAKE_HANGS;
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(fake->n_recorded == 1);
	fake->record = FAKE_WORKS;
	cr_assert_eq(tasks_wait(fixture.tasks, fixture_name("c", "e"), &waited.reply, NULL), 0);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fake->n_recorded == 2);
	cr_assert_eq(tasks_delete(fixture.tasks, fixture_name("c", ""), &deleted.reply, NULL), 0);
	fixture_settle();
	cr_expect_eq(waited.n_answers + deleted.n_answers + started.n_answers, 0);
	fake->release = true;
	fixture_until(deleted.n_answers);
	cr_expect(strstr(fixture.events, "started waited exit:7 delete deleted"), "%s", fixture.events);
	cr_expect_eq(started.err.kind, ERROR_PROGRAM, "%s", started.err.message);
	cr_expect_eq(waited.exit_status, 255);
}

Test(tasks_newborn, the_trail_names_the_process_of_what_ran_and_could_not_be_served)
{
	struct fixture_reply started;

	fake->audits = true;
	fake->hands_over = false;
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	fake->io_begin_fails = true;
	fixture_reply_init(&started, NULL);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", "e"), &started.reply, NULL), 0);
	fixture_until(started.n_answers);
	cr_expect(started.has_failed);
	cr_expect_str_eq(fake->recorded[0], "c e 0 no terminal came");
	cr_expect_eq(fake->recorded_pid, fake_pid("e"));
}

Test(tasks_newborn, what_is_stopped_is_ended_and_told_of)
{
	struct fixture_reply started;

	let_go(&started);
	fake->starter_is_stopped = true;
	fixture_until(started.n_answers);
	cr_expect(strstr(started.err.message, "stopped by a signal"), "%s", started.err.message);
	cr_expect_lt(kill(fake_pid("e"), 0), 0, "it is reaped");
	cr_expect_eq(fixture_state("c", "e"), PROCESS_CREATED);
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_newborn, what_talks_without_end_is_ended)
{
	struct fixture_reply started;

	let_go(&started);
	for (int i = 0; i < 100; i++)
		fake_starter_says(FAKE_WARNS);
	fixture_until(started.n_answers);
	cr_expect(strstr(started.err.message, "was heard 64 times"), "%s", started.err.message);
	fixture_until(kill(fake_pid("e"), 0) < 0);
}

Test(tasks_newborn, a_worker_that_fails_has_recorded_that_itself)
{
	fake->audits = true;
	fake->exec = FAKE_FAILS;
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	cr_expect_eq(fixture_start("c", "e"), ERROR_REFUSED);
	cr_expect_eq(fake->n_recorded, 0);
}

Test(tasks_newborn, one_that_is_killed_has_not_started)
{
	struct fixture_reply started;

	fake->may_pass_listener = false;
	let_go(&started);
	end_newborn();
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_SYSTEM);
	cr_expect(strstr(started.err.message, "killed while it was set up"), "%s", started.err.message);
}

Test(tasks_newborn, its_last_word_counts_however_late_it_is_heard)
{
	struct fixture_reply started;

	fake->may_pass_listener = false;
	let_go(&started);
	fake_starter_says(FAKE_RUNS);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	end_newborn();
	fixture_until(strstr(fixture.events, "exit/e"));
	cr_expect_not(started.has_failed, "%s", started.err.message);
	cr_expect(strstr(fixture.events, "exec-start/e started exit/e:137"), "%s", fixture.events);
}

Test(tasks_newborn, what_goes_astray_is_ended)
{
	struct fixture_reply started;

	let_go(&started);
	fake_starter_says(FAKE_TALKS_NONSENSE);
	fixture_until(started.n_answers);
	cr_expect(started.has_failed);
	cr_expect_gt(fake->n_group_kills, 0);
	fixture_until(kill(fake_pid("e"), 0) < 0);
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_newborn, a_listener_is_served_before_the_program_runs)
{
	struct fixture_reply started;

	let_go(&started);
	fake_starter_says(FAKE_GIVES_LISTENER);
	fixture_until(fake->listener_fd > 0);
	fixture_settle();
	cr_expect_eq(started.n_answers, 0);
	cr_expect_geq(fcntl(fake->listener_fd, F_GETFD), 0, "somebody has it");
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	cr_expect_not(started.has_failed);
}

Test(tasks_newborn, its_listener_is_in_nobody_s_way_that_comes_later)
{
	struct fixture_reply started, own;
	struct error err = { 0 };

	fake->starts_simply = true;
	fixture_make("c", PROCESS_CREATED);
	fixture_make_exec("c", "e", PROCESS_CREATED);
	begin_start(&started);
	fake_starter_says(FAKE_GIVES_LISTENER);
	fixture_until(fake->listener_fd > 0);
	fake_starter_says(FAKE_RUNS);
	fixture_until(started.n_answers);
	fake->hands_over = false;
	fake->listener_fd = 0;
	fixture_reply_init(&own, NULL);
	cr_assert_eq(tasks_start(fixture.tasks, fixture_name("c", ""), &own.reply, &err), 0, "%s", err.message);
	fake_starter_says(FAKE_GIVES_LISTENER);
	fixture_until(fake->listener_fd > 0);
	fixture_settle();
	cr_expect_geq(fcntl(fake->listener_fd, F_GETFD), 0, "the container's own is served as well");
	fake_starter_says(FAKE_RUNS);
	fixture_until(own.n_answers);
	cr_expect_not(own.has_failed, "%s", own.err.message);
}

Test(tasks_newborn, the_end_of_the_container_ends_it)
{
	struct fixture_reply started;

	let_go(&started);
	close(fake->starter_peer_fd);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(strstr(fixture.events, "exit:7"));
	cr_expect(started.has_failed);
	fixture_until(kill(fake_pid("e"), 0) < 0);
}

Test(tasks_newborn, the_end_of_the_shim_lets_go_of_it)
{
	struct fixture_reply started;

	let_go(&started);
	tasks_free(fixture.tasks);
	fixture.tasks = NULL;
	cr_expect_eq(fake->n_starters_open, 0);
	cr_expect_eq(started.n_answers, 0);
}

static void begin_with_bound(void)
{
	begin_with(&(struct tasks_bounds){ .start = 20000000 });
}

TestSuite(tasks_newborn_bound, .init = begin_with_bound, .fini = fixture_end);

Test(tasks_newborn_bound, what_says_nothing_is_ended)
{
	struct fixture_reply started;

	let_go(&started);
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_TIMEOUT);
	cr_expect(strstr(started.err.message, "has not said within 20 ms"), "%s", started.err.message);
	fixture_until(kill(fake_pid("e"), 0) < 0);
	cr_expect_eq(fake->n_starters_open, 0);
}

Test(tasks_newborn_bound, what_runs_by_then_has_started)
{
	struct fixture_reply started;

	fake->starter_has_executed = true;
	let_go(&started);
	fixture_until(started.n_answers);
	cr_expect_not(started.has_failed, "%s", started.err.message);
	cr_expect_eq(fixture_state("c", "e"), PROCESS_RUNNING);
	cr_expect_eq(kill(fake_pid("e"), 0), 0);
	cr_expect_eq(fake->n_starters_open, 0);
}

static void begin_with_execs_bound(void)
{
	begin_with(&(struct tasks_bounds){ .execs = 20000000 });
	fake->audits = true;
}

TestSuite(tasks_newborn_execs_bound, .init = begin_with_execs_bound, .fini = fixture_end);

/* Unkillable: it says nothing, and does not end. */
static void end_container(struct fixture_reply *started)
{
	let_go(started);
	fake->unkillable = fake_pid("e");
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
}

Test(tasks_newborn_execs_bound, what_does_not_end_with_the_container_is_in_the_trail)
{
	struct fixture_reply started;

	end_container(&started);
	fixture_until(strstr(fixture.events, "exit:7"));
	cr_expect(strstr(started.err.message, "the container has ended"), "%s", started.err.message);
	cr_expect_str_eq(fake->recorded[1], "c e 0 the container has ended");
	cr_expect_eq(fake->n_recorded, 2);
}

Test(tasks_newborn_execs_bound, the_reason_stays_what_it_was)
{
	struct fixture_reply started;

	let_go(&started);
	fake->record = FAKE_HANGS;
	fake_starter_says(FAKE_HAS_FAILED);
	fixture_until(fake->n_recorded == 1);
	fake->record = FAKE_WORKS;
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(started.n_answers);
	cr_expect_eq(started.err.kind, ERROR_PROGRAM, "%s", started.err.message);
	fixture_until(strstr(fixture.events, "exit:7"));
}
