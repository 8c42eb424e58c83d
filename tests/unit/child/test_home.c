#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "child/home.h"
#include "tests/support/scratch.h"

struct passwd {
	const char *text;
	uid_t uid;
	const char *home;
};

Test(home, out_of_a_passwd_file)
{
	static const struct passwd list[] = {
		{ "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n", 1000, "/home/bob" },
		{ "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n", 0, "/root" },
		{ "root:x:0:0:root:/root:/bin/sh\n", 1, "/" },
		{ "a:x:5:5::/first:\nb:x:5:5::/second:\n", 5, "/first" },
		{ "a:x:5:5::/last", 5, "/last" },
		{ "a:x:5:5::/home/with space:x", 5, "/home/with space" },
		{ "a:x:4294967294:5::/big:x", 4294967294U, "/big" },
		{ "\n\n:::\na:x:5:5::/after-noise:x\n", 5, "/after-noise" },
		{ "", 0, "/" },
	};
	char home[64];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		home_find(list[i].text, list[i].uid, home, sizeof(home));
		cr_expect_str_eq(home, list[i].home, "case %zu", i);
	}
}

/* What an image could put there to make the program's environment, or whoever logs it, stumble (CVE-2022-4318). */
Test(home, hostile_lines_give_the_root_directory)
{
	static const struct passwd list[] = {
		{ "a:x:5:5::relative/path:x\n", 5, NULL },
		{ "a:x:5:5:::x\n", 5, NULL },
		{ "a:x:5:5::../..:x\n", 5, NULL },
		{ "a:x:5:5::/with\ttab:x\n", 5, NULL },
		{ "a:x:5:5::/with\rreturn:x\n", 5, NULL },
		{ "a:x:5:5::/esc\033[2J:x\n", 5, NULL },
		{ "a:x:5:5::/del\177:x\n", 5, NULL },
		{ "a:x:5\n:5::/broken:x\n", 5, NULL },
		{ "a:x:5:5:\n:/line:/next\n", 5, NULL },
		{ "a:x: 5:5::/space:x\n", 5, NULL },
		{ "a:x:+5:5::/sign:x\n", 5, NULL },
		{ "a:x:05:5::/octal:x\n", 5, NULL },
		{ "a:x:0x5:5::/hex:x\n", 5, NULL },
		{ "a:x:-1:5::/minus:x\n", 4294967295U, NULL },
		{ "a:x:4294967301:5::/wraps:x\n", 5, NULL },
		{ "a:x::5::/empty:x\n", 0, NULL },
		{ "a:x:5", 5, NULL },
		{ "a:x:5:5:", 5, NULL },
	};
	char home[64];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		home_find(list[i].text, list[i].uid, home, sizeof(home));
		cr_expect_str_eq(home, "/", "case %zu: %s", i, list[i].text);
	}
}

Test(home, path_has_to_fit)
{
	char home[8], guard[] = "guard";

	home_find("a:x:5:5::/123456:x\n", 5, home, sizeof(home));
	cr_expect_str_eq(home, "/123456");
	home_find("a:x:5:5::/1234567:x\n", 5, home, sizeof(home));
	cr_expect_str_eq(home, "/");
	cr_expect_str_eq(guard, "guard");
}

/* The answer of home_of_user with root as "/", taken in a process of its own. */
static void look_up(const struct scratch *root, char *home, size_t size)
{
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("chroot needs root");
	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		if (chroot(root->path) < 0 || chdir("/") < 0)
			_exit(1);
		home_of_user(5, home, size);
		_exit(write(fds[1], home, strlen(home)) < 0);
	}
	close(fds[1]);
	n = read(fds[0], home, size - 1);
	home[n > 0 ? n : 0] = '\0';
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0, "the look-up hung or died: status %d", status);
	close(fds[0]);
}

#define LINE "a:x:5:5::/found:x\n"

Test(home, of_a_container)
{
	SCRATCH(root);
	char home[64];

	scratch_directory(&root, "etc");
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/", "no file at all");
	scratch_file(&root, "etc/passwd", LINE, 0644);
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/found");
	scratch_file(&root, "etc/passwd", "", 0644);
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/");
}

Test(home, passwd_is_no_file)
{
	SCRATCH(root);
	char home[64];

	scratch_directory(&root, "etc");
	scratch_file(&root, "etc/other", LINE, 0644);
	scratch_link(&root, "etc/passwd", "other");
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/", "a link is not followed");
	cr_assert_eq(unlinkat(root.fd, "etc/passwd", 0), 0);
	cr_assert_eq(mkfifoat(root.fd, "etc/passwd", 0644), 0);
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/", "a FIFO is not waited for");
	cr_assert_eq(unlinkat(root.fd, "etc/passwd", 0), 0);
	scratch_directory(&root, "etc/passwd");
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/");
}

Test(home, passwd_is_huge)
{
	SCRATCH(root);
	char home[64];
	int fd;

	scratch_directory(&root, "etc");
	scratch_file(&root, "etc/passwd", LINE, 0644);
	fd = openat(root.fd, "etc/passwd", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(fd, (off_t)2 << 20), 0);
	close(fd);
	look_up(&root, home, sizeof(home));
	cr_expect_str_eq(home, "/", "more than a mebibyte is not read");
}
