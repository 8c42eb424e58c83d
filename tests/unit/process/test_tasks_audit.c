/* The ends of processes in the audit trail: before they are told, once each, in order. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tasks_fixture.h"

TestSuite(tasks_audit, .init = fixture_begin, .fini = fixture_end);

static bool was_told(const char *event)
{
	return strstr(fixture.events, event);
}

Test(tasks_audit, without_a_trail_nothing_is_recorded)
{
	fixture_make("c", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(was_told("exit:7"));
	cr_expect_eq(fake->n_recorded, 0);
}

Test(tasks_audit, an_end_is_told_once_it_is_recorded)
{
	fake->audits = true;
	fake->record = FAKE_HANGS;
	fixture_make("c", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fake->n_recorded == 1);
	fixture_settle();
	cr_expect_str_eq(fixture.events, "create start ");
	fake->release = true;
	fixture_until(was_told("exit:7"));
	cr_expect_str_eq(fake->recorded[0], "c - 7 -");
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
	cr_expect_eq(fake->n_recorded, 1);
}

Test(tasks_audit, those_that_end_meanwhile_come_next)
{
	fake->audits = true;
	fake->record = FAKE_HANGS;
	fixture_make("c", PROCESS_RUNNING);
	fixture_make_exec("c", "e", PROCESS_RUNNING);
	fixture_make_exec("c", "f", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "e", SIGTERM), 0);
	fixture_until(fake->n_recorded == 1);
	cr_assert_eq(fixture_kill("c", "f", SIGTERM), 0);
	fixture_until(fixture_state("c", "f") == PROCESS_STOPPED);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fixture_state("c", "") == PROCESS_STOPPED);
	fixture_settle();
	cr_expect_eq(fake->n_recorded, 1, "one worker at a time");
	fake->release = true;
	fixture_until(was_told("exit:7 exit") || was_told(" exit:7"));
	fixture_until(fake->n_recorded == 3);
	cr_expect_str_eq(fake->recorded[0], "c e 7 -");
	cr_expect_str_eq(fake->recorded[1], "c f 7 -");
	cr_expect_str_eq(fake->recorded[2], "c - 7 -");
	cr_expect_eq(fixture_delete("c", "e"), ERROR_NONE);
	cr_expect_eq(fixture_delete("c", "f"), ERROR_NONE);
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
}

Test(tasks_audit, a_worker_that_dies_holds_nothing_up)
{
	fake->audits = true;
	fake->record = FAKE_CRASHES;
	fixture_make("c", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(was_told("exit:7"));
	cr_expect_eq(fixture_delete("c", ""), ERROR_NONE);
}

Test(tasks_audit, the_limit_that_ended_it_is_named)
{
	fake->audits = true;
	fake->limits = (struct brig_limits){ .timeout = UINT64_C(20000000) };
	fixture_make("c", PROCESS_RUNNING);
	fixture_until(was_told("exit:124"));
	cr_expect_str_eq(fake->recorded[0], "c - 124 timeout");
}

Test(tasks_audit, closing_while_a_worker_is_under_way)
{
	fake->audits = true;
	fake->record = FAKE_HANGS;
	fixture_make("c", PROCESS_RUNNING);
	cr_assert_eq(fixture_kill("c", "", SIGTERM), 0);
	fixture_until(fake->n_recorded == 1);
}
