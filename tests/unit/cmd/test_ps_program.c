#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/brig/ps_program.h"

static const char table[] = "UID        PID  PPID CMD\n"
			    "root         7     1 /sbin/init 12\n"
			    "root        12     7 sh -c 7\n"
			    "root       127    12 last";

Test(ps, keeps_heading_and_wanted_lines)
{
	static const pid_t pids[] = { 12, 127, 4000 };
	struct buffer text = { 0 };
	struct error err = { 0 };

	cr_expect_eq(ps_program_filter(table, pids, ARRAY_SIZE(pids), &text, &err), 0);
	cr_expect_str_eq(text.data, "UID        PID  PPID CMD\nroot        12     7 sh -c 7\nroot       127    12 last");
	buffer_done(&text);
}

Test(ps, of_no_process_is_the_heading)
{
	struct buffer text = { 0 };
	struct error err = { 0 };

	cr_expect_eq(ps_program_filter(table, NULL, 0, &text, &err), 0);
	cr_expect_str_eq(text.data, "UID        PID  PPID CMD\n");
	buffer_done(&text);
}

Test(ps, needs_a_pid_column)
{
	struct buffer text = { 0 };
	struct error err = { 0 };

	cr_expect_eq(ps_program_filter("PPID CMD\n 1 x\n", NULL, 0, &text, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "no column PID"));
	cr_expect_eq(ps_program_filter("", NULL, 0, &text, &err), -EINVAL);
	cr_expect_eq(ps_program_filter("SPID\n1\n", NULL, 0, &text, &err), -EINVAL);
	buffer_done(&text);
}

Test(ps, executes_the_hosts_own)
{
	const char *const arguments[] = { "-eo", "pid,comm", NULL };
	const pid_t self = getpid();
	struct buffer all = { 0 };
	struct buffer mine = { 0 };
	struct error err = { 0 };
	char wanted[32];

	if (access("/usr/bin/ps", X_OK) < 0 && access("/bin/ps", X_OK) < 0)
		cr_skip("this machine has no ps");
	cr_assert_eq(ps_program_run(arguments, &all, &err), 0, "%s", err.message);
	cr_assert_eq(ps_program_filter(all.data, &self, 1, &mine, &err), 0, "%s", err.message);
	snprintf(wanted, sizeof(wanted), "%d ", (int)self);
	cr_expect_not_null(strstr(mine.data, wanted), "got: %s", mine.data);
	buffer_done(&all);
	buffer_done(&mine);
}
