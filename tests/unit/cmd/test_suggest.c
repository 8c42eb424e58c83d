#include <criterion/criterion.h>
#include <limits.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/suggest.h"

Test(suggest, measures_distance)
{
	cr_expect_eq(suggest_distance("create", "create"), 0);
	cr_expect_eq(suggest_distance("creat", "create"), 1);
	cr_expect_eq(suggest_distance("craete", "create"), 1);
	cr_expect_eq(suggest_distance("", "run"), 3);
	cr_expect_eq(suggest_distance("run", ""), 3);
	cr_expect_eq(suggest_distance("abcdefghijklmnopqrstuvwxyzabcdefgh", "a"), UINT_MAX);
}

Test(suggest, takes_the_nearest)
{
	struct suggest suggest = { .typed = "stat" };

	suggest_offer(&suggest, "start");
	cr_expect_str_eq(suggest.best, "start");
	suggest_offer(&suggest, "exec");
	cr_expect_str_eq(suggest.best, "start");
}

Test(suggest, says_nothing_where_nothing_is_near)
{
	struct suggest suggest = { .typed = "x" };

	suggest_offer(&suggest, "run");
	suggest_offer(&suggest, "ps");
	cr_expect_null(suggest.best);
}

static void expect_command(const char *typed, const char *message)
{
	struct error err = { 0 };

	cr_expect_null(commands_get(typed, &err));
	cr_expect_eq(err.kind, ERROR_USAGE);
	cr_expect_str_eq(err.message, message);
}

Test(commands, unknown_ones_get_a_suggestion)
{
	expect_command("creat",
		       "unknown command \"creat\" (did you mean \"create\"?); \"brig --help\" lists the commands");
	expect_command("frobnicate", "unknown command \"frobnicate\"; \"brig --help\" lists the commands");
	expect_command("", "unknown command \"\"; \"brig --help\" lists the commands");
}
