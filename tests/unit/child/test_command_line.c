/* What others see of brig's arguments while it is near a container. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "child/command_line.h"

/* All bytes that are shown: without a word of them a command line is nul bytes alone. */
static size_t shown(char *text, size_t size)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, size - 1);

	cr_assert_gt(n, 0);
	close(fd);
	text[n] = '\0';
	return (size_t)n;
}

static void check(void)
{
	char before[4096], text[4096];
	struct command_line hidden;
	struct error err = { 0 };
	size_t n = shown(before, sizeof(before)), n_hidden;

	cr_assert_eq(command_line_hide("x", &hidden, &err), 0, "%s", err.message);
	n_hidden = shown(text, sizeof(text));
	command_line_show(&hidden);
	cr_expect_str_eq(text, "x");
	for (size_t i = 1; i < n_hidden; i++)
		cr_expect_eq(text[i], '\0', "byte %zu", i);
	cr_expect_eq(shown(text, sizeof(text)), n);
	cr_expect_eq(memcmp(text, before, n), 0);
}

Test(command_line, is_hidden_and_shown_again)
{
	check();
}

/* `env -i brig exec ...` */
Test(command_line, is_hidden_without_an_environment)
{
	static char *nothing[] = { NULL };

	environ = nothing;
	check();
}
