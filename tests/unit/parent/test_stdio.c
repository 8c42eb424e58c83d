/* Whom the standard streams belong to afterwards, in a process of its own that has put others in their place. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "parent/stdio.h"
#include "tests/support/scratch.h"

static const struct plan_id_range range = { 0, 100000, 1000 };

static void setup(void)
{
	if (geteuid() != 0)
		cr_skip_test("giving streams away needs root");
}

TestSuite(stdio, .init = setup);

static void use_as(int fd, int number)
{
	cr_assert_geq(dup2(fd, number), 0);
	close(fd);
}

static uid_t owner(int fd)
{
	struct stat status = { 0 };

	fstat(fd, &status);
	return status.st_uid;
}

static void give(const struct plan *plan)
{
	static const int streams[] = { 0, 1, 2 };
	struct error err = { 0 };

	cr_assert_eq(stdio_give(plan, getpid(), streams, &err), 0, "%s", err.message);
}

/* A pipe, a socket, and the file of a caller who redirects. */
static void fill(const struct scratch *scratch)
{
	int pipe_fds[2], socket_fds[2];

	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_fds), 0);
	scratch_file(scratch, "file", "", 0600);
	use_as(pipe_fds[0], 0);
	use_as(socket_fds[0], 1);
	use_as(openat(scratch->fd, "file", O_WRONLY | O_CLOEXEC), 2);
}

Test(stdio, pipes_and_sockets_go_to_the_user)
{
	const struct plan plan = { .process = { .uid = 33 } };
	SCRATCH(scratch);

	fill(&scratch);
	give(&plan);
	cr_expect_eq(owner(0), 33);
	cr_expect_eq(owner(1), 33);
	cr_expect_eq(owner(2), 0, "a file of the host stays the host's");
}

Test(stdio, user_is_the_one_of_the_map)
{
	const struct plan plan = { .process = { .uid = 33 }, .namespaces = { .uids = { &range, 1 } } };
	const struct plan root = { .namespaces = { .uids = { &range, 1 } } };
	SCRATCH(scratch);

	fill(&scratch);
	give(&root);
	cr_expect_eq(owner(0), 100000, "root inside is nobody outside, and needs them given too");
	give(&plan);
	cr_expect_eq(owner(0), 100033);
	cr_expect_eq(owner(2), 0);
}

Test(stdio, nothing_to_give)
{
	const struct plan root = { 0 }, terminal = { .process = { .uid = 33, .terminal = true } };
	SCRATCH(scratch);

	fill(&scratch);
	give(&root);
	give(&terminal);
	cr_expect_eq(owner(0), 0);
	cr_expect_eq(owner(1), 0);
}

Test(stdio, devices_of_the_host_stay)
{
	const struct plan plan = { .process = { .uid = 33 } };
	uid_t before;

	use_as(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
	before = owner(0);
	give(&plan);
	cr_expect_eq(owner(0), before);
}

Test(stdio, closed_streams_are_passed_over)
{
	const struct plan plan = { .process = { .uid = 33 } };
	SCRATCH(scratch);

	fill(&scratch);
	close(0);
	give(&plan);
	cr_expect_eq(owner(1), 33);
}
