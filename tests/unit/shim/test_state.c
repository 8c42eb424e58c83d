/* The table of process states: each state with each event; and the order in which exits are told. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/cleanup.h"
#include "shim/process/exit_order.h"
#include "shim/process/state.h"

/* One letter a cell. Upper case: act and go to that state (Created, Running, Paused, Stopped, Deleted); '=': nothing to do;
 * 'f': failed precondition, 'n': not found, 'x': exists, '!': a state that an exec never has. */
struct row {
	const char *cells; /* created, running, paused, stopped, deleted */
	enum process_kind kind;
	enum process_event event;
};

static const struct row rows[] = {
	{ "xxxxC", PROCESS_INIT, PROCESS_ASKED_CREATE },     { "Rfffn", PROCESS_INIT, PROCESS_ASKED_START },
	{ "CRPnn", PROCESS_INIT, PROCESS_ASKED_KILL },	     { "fPffn", PROCESS_INIT, PROCESS_ASKED_PAUSE },
	{ "ffRfn", PROCESS_INIT, PROCESS_ASKED_RESUME },     { "DffD=", PROCESS_INIT, PROCESS_ASKED_DELETE },
	{ "fRPfn", PROCESS_INIT, PROCESS_ASKED_CHECKPOINT }, { "CRPfn", PROCESS_INIT, PROCESS_ASKED_UPDATE },
	{ "CRffn", PROCESS_INIT, PROCESS_ASKED_EXEC },	     { "CRP=n", PROCESS_INIT, PROCESS_ASKED_RESIZE },
	{ "CRPSn", PROCESS_INIT, PROCESS_ASKED_CLOSE_IO },   { "CRPSD", PROCESS_INIT, PROCESS_ASKED_WAIT },
	{ "SSS==", PROCESS_INIT, PROCESS_EXITED },	     { "xx!xC", PROCESS_EXEC, PROCESS_ASKED_CREATE },
	{ "Rf!fn", PROCESS_EXEC, PROCESS_ASKED_START },	     { "fR!nn", PROCESS_EXEC, PROCESS_ASKED_KILL },
	{ "ff!fn", PROCESS_EXEC, PROCESS_ASKED_PAUSE },	     { "ff!fn", PROCESS_EXEC, PROCESS_ASKED_RESUME },
	{ "Df!D=", PROCESS_EXEC, PROCESS_ASKED_DELETE },     { "ff!fn", PROCESS_EXEC, PROCESS_ASKED_CHECKPOINT },
	{ "ff!fn", PROCESS_EXEC, PROCESS_ASKED_UPDATE },     { "ff!fn", PROCESS_EXEC, PROCESS_ASKED_EXEC },
	{ "CR!fn", PROCESS_EXEC, PROCESS_ASKED_RESIZE },     { "CR!Sn", PROCESS_EXEC, PROCESS_ASKED_CLOSE_IO },
	{ "CR!SD", PROCESS_EXEC, PROCESS_ASKED_WAIT },	     { "SS!==", PROCESS_EXEC, PROCESS_EXITED },
};

static char letter_of(const struct state_step *step)
{
	return step->act ? "CRPSD"[step->next] : '=';
}

static char letter_of_refusal(const struct error *err)
{
	if (err->kind == ERROR_STATE)
		return 'f';
	if (err->kind == ERROR_NOT_FOUND)
		return 'n';
	return err->kind == ERROR_EXISTS ? 'x' : '!';
}

static void check_cell(const struct row *row, enum process_state state, char expected)
{
	struct state_step step = { .next = (enum process_state)77 };
	struct error err = { 0 };
	int r = state_step(row->kind, state, row->event, &step, &err);

	if (r < 0) {
		cr_expect_eq(letter_of_refusal(&err), expected, "kind %d event %d in %s: %s", row->kind, row->event,
			     state_name(state), err.message);
		cr_expect_eq(r, -err.code);
		cr_expect_gt(strlen(err.message), 0, "kind %d event %d", row->kind, row->event);
		cr_expect_eq((int)step.next, 77, "a refusal must not touch the output");
		return;
	}
	cr_expect_eq(letter_of(&step), expected, "kind %d event %d in %s: %c", row->kind, row->event, state_name(state),
		     letter_of(&step));
	if (!step.act)
		cr_expect_eq(step.next, state, "nothing to do is no change of state");
}

Test(state, each_state_with_each_event)
{
	bool walked[PROCESS_N_KINDS][PROCESS_N_EVENTS] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		walked[rows[i].kind][rows[i].event] = true;
		for (int state = 0; state < PROCESS_N_STATES; state++)
			check_cell(&rows[i], (enum process_state)state, rows[i].cells[state]);
	}
	for (int i = 0; i < PROCESS_N_KINDS * PROCESS_N_EVENTS; i++)
		cr_expect(walked[i / PROCESS_N_EVENTS][i % PROCESS_N_EVENTS], "event %d is not in the test's table", i);
}

Test(state, messages_that_callers_look_for)
{
	struct error err = { 0 };
	struct state_step step;

	state_step(PROCESS_INIT, PROCESS_STOPPED, PROCESS_ASKED_KILL, &step, &err);
	cr_expect_str_eq(err.message, "process already finished");
	state_step(PROCESS_INIT, PROCESS_RUNNING, PROCESS_ASKED_DELETE, &step, &err);
	cr_expect_str_eq(err.message, "cannot delete a running process");
}

Test(state, what_is_out_of_range_is_refused)
{
	struct error err = { 0 };
	struct state_step step;

	cr_expect_lt(state_step(PROCESS_N_KINDS, PROCESS_RUNNING, PROCESS_EXITED, &step, &err), 0);
	cr_expect_lt(state_step(PROCESS_INIT, PROCESS_N_STATES, PROCESS_EXITED, &step, &err), 0);
	cr_expect_lt(state_step(PROCESS_INIT, PROCESS_RUNNING, PROCESS_N_EVENTS, &step, &err), 0);
	cr_expect_eq(err.kind, ERROR_INTERNAL);
	cr_expect_str_eq(state_name(PROCESS_N_STATES), "unknown");
}

Test(state, a_running_exec_of_a_paused_container_is_paused)
{
	cr_expect_eq(state_reported(PROCESS_PAUSED, PROCESS_RUNNING), PROCESS_PAUSED);
	cr_expect_eq(state_reported(PROCESS_PAUSED, PROCESS_STOPPED), PROCESS_STOPPED);
	cr_expect_eq(state_reported(PROCESS_PAUSED, PROCESS_CREATED), PROCESS_CREATED);
	cr_expect_eq(state_reported(PROCESS_RUNNING, PROCESS_RUNNING), PROCESS_RUNNING);
}

static const struct timespec moment = { .tv_sec = 1, .tv_nsec = 2 };

Test(exit_order, the_init_waits_for_its_execs)
{
	struct exit_order order = { 0 };
	struct exit_entry init, one, two;

	exit_order_add(&order, &init, PROCESS_INIT);
	exit_order_announce(&init);
	exit_order_add(&order, &one, PROCESS_EXEC);
	exit_order_add(&order, &two, PROCESS_EXEC);
	exit_order_announce(&one);
	exit_order_announce(&two);

	exit_order_exit(&order, &init, 137, moment);
	cr_expect_null(exit_order_take(&order));
	exit_order_exit(&order, &two, 2, moment);
	exit_order_exit(&order, &one, 1, moment);
	cr_expect_eq(exit_order_take(&order), &two, "execs in the order in which they ended");
	cr_expect_eq(exit_order_take(&order), &one);
	cr_expect_eq(exit_order_take(&order), &init);
	cr_expect_eq(init.status, 137);
	cr_expect_eq(init.at.tv_nsec, 2);
	cr_expect_null(exit_order_take(&order));
	cr_expect_null(order.first);
}

Test(exit_order, an_exit_waits_for_its_own_start)
{
	struct exit_order order = { 0 };
	struct exit_entry init, exec;

	exit_order_add(&order, &init, PROCESS_INIT);
	exit_order_announce(&init);
	exit_order_add(&order, &exec, PROCESS_EXEC);
	exit_order_exit(&order, &exec, 0, moment);
	cr_expect_null(exit_order_take(&order), "its start was not told yet");
	exit_order_exit(&order, &init, 0, moment);
	cr_expect_null(exit_order_take(&order));
	exit_order_announce(&exec);
	cr_expect_eq(exit_order_take(&order), &exec);
	cr_expect_eq(exit_order_take(&order), &init);
}

Test(exit_order, one_that_is_given_up_holds_back_nothing)
{
	struct exit_order order = { 0 };
	struct exit_entry init, exec;

	exit_order_add(&order, &exec, PROCESS_EXEC);
	exit_order_add(&order, &init, PROCESS_INIT);
	exit_order_announce(&init);
	exit_order_exit(&order, &init, 9, moment);
	exit_order_exit(&order, &init, 10, moment);
	cr_expect_null(exit_order_take(&order));
	exit_order_remove(&order, &exec);
	exit_order_remove(&order, &exec);
	cr_expect_eq(exit_order_take(&order), &init);
	cr_expect_eq(init.status, 9, "the first report counts");
}
