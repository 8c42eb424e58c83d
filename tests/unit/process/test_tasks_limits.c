/* Containers that are ended for their time or their output. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"

#define MS UINT64_C(1000000)

TestSuite(tasks_limits, .init = fixture_begin, .fini = fixture_end);

static void make_limited(struct brig_limits limits)
{
	fake->limits = limits;
	fixture_make("c", PROCESS_RUNNING);
}

static bool was_told(const char *event)
{
	return strstr(fixture.events, event);
}

Test(tasks_limits, time_ends_a_container)
{
	make_limited((struct brig_limits){ .timeout = 20 * MS });
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create start timeout exit:124 ");
	cr_expect_gt(fake->n_group_kills_all, 0, "with all that is in it");
	cr_expect_str_eq(fake->last_words, "brig: ended after 0.02s (annotation brig.dev/timeout)");
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
}

Test(tasks_limits, time_begins_with_the_start)
{
	uint64_t later = loop_now() + 50 * MS;

	fake->limits = (struct brig_limits){ .timeout = 10 * MS };
	fixture_make("c", PROCESS_CREATED);
	fixture_until(loop_now() > later);
	cr_expect_str_eq(fixture.events, "create ");
	cr_expect_eq(fixture_start("c", ""), ERROR_NONE);
	fixture_until(was_told("exit:124"));
}

Test(tasks_limits, one_that_ends_in_time_keeps_its_status)
{
	uint64_t later;

	make_limited((struct brig_limits){ .timeout = 2000 * MS });
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(was_told("exit"));
	later = loop_now() + 2100 * MS;
	fixture_until(loop_now() > later);
	cr_expect_str_eq(fixture.events, "create start exit:7 ", "and nothing comes of the time that is over later");
	cr_expect_eq(fake->n_last_words, 0);
}

Test(tasks_limits, a_start_that_ends_at_once_has_no_time)
{
	fake->limits = (struct brig_limits){ .timeout = 10 * MS };
	fixture_make("c", PROCESS_CREATED);
	fake->start = FAKE_EXITS_AT_ONCE;
	fake->release = true;
	cr_expect_eq(fixture_start("c", ""), ERROR_NONE);
	fixture_until(was_told("exit"));
	cr_expect(was_told("exit:7 ") || was_told("timeout exit:124 "), "%s", fixture.events);
}

Test(tasks_limits, output_ends_a_container)
{
	make_limited((struct brig_limits){ .max_output = 1000, .max_output_by_site = true });
	cr_expect_eq(fake_overflow(), 1000);
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create start max-output exit:137 ");
	cr_expect_str_eq(fake->last_words, "brig: ended after more than 1000 bytes of output (the site's policy)");
}

Test(tasks_limits, output_that_is_found_too_much_while_it_is_drained)
{
	make_limited((struct brig_limits){ .max_output = 1000 });
	fake->hold_drain = true;
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fake->n_drains == 1);
	fake_overflow();
	fake_drain_all();
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create start max-output exit:137 ");
	cr_expect_eq(fake->n_last_words, 1);
}

Test(tasks_limits, an_exec_has_the_limit_of_its_container_and_is_ended_alone)
{
	make_limited((struct brig_limits){ .max_output = 1000 });
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	cr_expect_eq(fake_overflow(), 1000);
	fixture_until(was_told("exit"));
	cr_expect(was_told("max-output/e exit/e:137 "), "%s", fixture.events);
	cr_expect_eq(fixture_state("c", ""), PROCESS_RUNNING);
	cr_expect_eq(fake->n_last_words, 0, "those are the container's");
}

Test(tasks_limits, the_first_limit_counts)
{
	make_limited((struct brig_limits){ .max_output = 1000, .timeout = 10 * MS });
	fake_overflow();
	fixture_until(was_told("exit"));
	cr_expect_str_eq(fixture.events, "create start max-output exit:137 ");
}

Test(tasks_limits, last_words_come_before_the_exit)
{
	fake->words = FAKE_HANGS;
	make_limited((struct brig_limits){ .timeout = 10 * MS });
	fixture_until(fake->n_last_words == 1 && fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_str_eq(fixture.events, "create start timeout ");
	fake->release = true;
	fixture_until(was_told("exit:124"));
}

Test(tasks_limits, last_words_that_fail_hold_back_nothing)
{
	static const enum fake_behaviour behaviours[] = { FAKE_FAILS, FAKE_CRASHES };

	for (size_t i = 0; i < 2; i++) {
		fixture.events[0] = '\0';
		fake->words = behaviours[i];
		make_limited((struct brig_limits){ .timeout = 10 * MS });
		fixture_until(was_told("exit:124"));
		cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
	}
}

Test(tasks_limits, the_shim_may_go_while_last_words_are_written)
{
	fake->words = FAKE_HANGS;
	make_limited((struct brig_limits){ .timeout = 10 * MS });
	fixture_until(fake->n_last_words == 1);
}

Test(tasks_limits, pipes_that_do_not_come_fail_the_create)
{
	struct fixture_reply created;

	fake->limits = (struct brig_limits){ .max_output = 1000 };
	fake->io_limit_fails = true;
	fixture_reply_init(&created, NULL);
	cr_assert_eq(fixture_create("c", &created, NULL), 0);
	fixture_until(created.n_answers);
	cr_expect_eq(created.err.kind, ERROR_INTERNAL);
	cr_expect_eq(fake->n_deletes, 1, "it is undone");
	cr_expect_eq(tasks_count(fixture.tasks), 0);
}
