/* What is said of a process in state D: names come from inside of the container. */
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "container/stuck.h"

Test(stuck, state_and_name)
{
	char name[64];

	cr_expect_eq(stuck_parse_stat("42 (cp) D 1 42", name), 'D');
	cr_expect_str_eq(name, "cp");
	cr_expect_eq(stuck_parse_stat("42 (a) S (b) D 1", name), 'D', "the last parenthesis ends the name");
	cr_expect_str_eq(name, "a) S (b");
	cr_expect_eq(stuck_parse_stat("42 (\x1b[2J\n\xff) Z 1", name), 'Z');
	cr_expect_str_eq(name, "?[2J??", "nothing reaches a terminal");
	cr_expect_eq(stuck_parse_stat("", name), '\0');
	cr_expect_eq(stuck_parse_stat("42 cp D", name), '\0');
	cr_expect_eq(stuck_parse_stat("42 )(", name), '\0');
	cr_expect_eq(stuck_parse_stat("42 (x)", name), '\0');
}

static void expect_stack(const char *stack, const char *wanted)
{
	struct buffer text = { 0 };

	buffer_append_text(&text, "");
	stuck_format_stack(stack, &text);
	cr_expect_str_eq(text.data, wanted);
	buffer_done(&text);
}

Test(stuck, stack)
{
	expect_stack("[<0>] io_schedule+0x46/0x80\n[<0>] wait_on_page+0x1/0x2\n", "io_schedule < wait_on_page");
	expect_stack("[<ffff800>] a [nfs]", "a [nfs]");
	expect_stack("", "");
	expect_stack("\n\n", "");
	expect_stack("]", "");
}

Test(stuck, a_process_that_runs_is_not_named)
{
	struct buffer text = { 0 };

	stuck_describe(getpid(), &text);
	stuck_describe(0x7ffffffe, &text);
	cr_expect_eq(text.length, 0, "got: %s", text.data);
	buffer_done(&text);
}
