#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "sandbox/sandbox_stream.h"
#include "tests/support/scratch.h"

static void ignore_sigpipe(void)
{
	signal(SIGPIPE, SIG_IGN);
}

TestSuite(sandbox_stream, .init = ignore_sigpipe);

static struct sandbox_stream open_output(struct sandbox_output *output, uint64_t limit, int *ret_fd)
{
	struct sandbox_stream stream = { .fd = -EBADF, .peer_fd = -EBADF, .limit = limit, .output = output };
	struct error err = { 0 };

	cr_assert_eq(sandbox_stream_open(&stream, ret_fd, &err), 0, "%s", err.message);
	return stream;
}

Test(sandbox_stream, keeps_what_is_written)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 100, &fd);

	cr_assert_eq(fd_write_all(fd, "hello", 5), 0);
	sandbox_stream_serve(&stream);
	cr_expect_eq(output.bytes, 5);
	cr_assert_eq(fd_write_all(fd, " there", 6), 0);
	close(fd);
	sandbox_stream_drain(&stream);
	cr_expect_str_eq(output.data.data, "hello there");
	cr_expect_eq(output.bytes, 11);
	cr_expect_not(output.truncated);
	cr_expect_lt(stream.fd, 0, "it is over");
	buffer_done(&output.data);
}

Test(sandbox_stream, takes_exactly_the_limit)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 5, &fd);

	cr_assert_eq(fd_write_all(fd, "12345", 5), 0);
	close(fd);
	sandbox_stream_drain(&stream);
	cr_expect_str_eq(output.data.data, "12345");
	cr_expect_not(output.truncated, "the limit itself is allowed");
	buffer_done(&output.data);
}

Test(sandbox_stream, one_byte_more_is_too_much)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 5, &fd);

	cr_assert_eq(fd_write_all(fd, "123456", 6), 0);
	sandbox_stream_serve(&stream);
	sandbox_stream_serve(&stream);
	cr_expect_str_eq(output.data.data, "12345");
	cr_expect_eq(output.bytes, 5);
	cr_expect(output.truncated);
	cr_expect_lt(stream.fd, 0, "nothing more is taken");
	close(fd);
	buffer_done(&output.data);
}

Test(sandbox_stream, zeroes_and_all_bytes_come_through)
{
	struct sandbox_output output = { 0 };
	char bytes[256];
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 1000, &fd);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	cr_assert_eq(fd_write_all(fd, bytes, sizeof(bytes)), 0);
	close(fd);
	sandbox_stream_drain(&stream);
	cr_assert_eq(output.data.length, sizeof(bytes));
	cr_expect_eq(memcmp(output.data.data, bytes, sizeof(bytes)), 0);
	buffer_done(&output.data);
}

/* To a pipe by splice, and to a file that is appended to, where the kernel refuses that. */
static void pass_on(int flags)
{
	SCRATCH(scratch);
	struct sandbox_output output = { 0 };
	char text[64];
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 7, &fd);

	scratch_file(&scratch, "out", "", 0600);
	stream.peer_fd = openat(scratch.fd, "out", O_WRONLY | O_CLOEXEC | flags);
	cr_assert_geq(stream.peer_fd, 0);
	cr_assert_eq(fd_write_all(fd, "passed on", 9), 0);
	close(fd);
	for (int i = 0; i < 8 && stream.fd >= 0; i++)
		sandbox_stream_serve(&stream);
	sandbox_stream_drain(&stream);
	cr_expect_str_eq(scratch_text(&scratch, "out", text, sizeof(text)), "passed ");
	cr_expect_eq(output.bytes, 7);
	cr_expect(output.truncated);
	cr_expect_eq(output.data.length, 0, "nothing is kept");
	close(stream.peer_fd);
}

Test(sandbox_stream, passes_on_within_the_limit)
{
	pass_on(0);
}

Test(sandbox_stream, passes_on_to_what_cannot_be_spliced)
{
	pass_on(O_APPEND);
}

Test(sandbox_stream, a_full_reader_is_waited_for_by_poll_alone)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF, pipe_fds[2];
	struct sandbox_stream stream = open_output(&output, UINT64_C(1) << 30, &fd);
	char bytes[4096] = { 0 };

	cr_assert_eq(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
	stream.peer_fd = pipe_fds[1];
	while (write(pipe_fds[1], bytes, sizeof(bytes)) > 0) {}
	cr_assert_eq(fd_write_all(fd, "x", 1), 0);
	sandbox_stream_serve(&stream);
	cr_expect(stream.peer_is_due);
	cr_expect_eq(sandbox_stream_poll(&stream).fd, pipe_fds[1]);
	cr_expect_eq(sandbox_stream_poll(&stream).events, POLLOUT);
	cr_expect_eq(output.bytes, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
	sandbox_stream_close(&stream);
}

Test(sandbox_stream, a_reader_that_is_gone_closes_the_pipe)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF, pipe_fds[2];
	struct sandbox_stream stream = open_output(&output, 1000, &fd);

	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	close(pipe_fds[0]);
	stream.peer_fd = pipe_fds[1];
	cr_assert_eq(fd_write_all(fd, "x", 1), 0);
	sandbox_stream_serve(&stream);
	cr_expect_lt(stream.fd, 0);
	cr_expect_eq(write(fd, "y", 1), -1, "the program is to see it");
	cr_expect_eq(errno, EPIPE);
	close(pipe_fds[1]);
	close(fd);
}

Test(sandbox_stream, feeds_input)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	struct sandbox_stream stream = { .fd = -EBADF, .is_input = true };
	char text[16] = { 0 };
	int fd = -EBADF;

	scratch_file(&scratch, "in", "a line\n", 0600);
	stream.peer_fd = openat(scratch.fd, "in", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(sandbox_stream_open(&stream, &fd, &err), 0, "%s", err.message);
	for (int i = 0; i < 8 && stream.fd >= 0; i++)
		sandbox_stream_serve(&stream);
	cr_expect_lt(stream.fd, 0, "its end is passed on");
	cr_expect_eq(read(fd, text, sizeof(text)), 7);
	cr_expect_str_eq(text, "a line\n");
	cr_expect_eq(read(fd, text, sizeof(text)), 0);
	close(stream.peer_fd);
	close(fd);
}

/* To a pipe by splice, to a device of characters by copies. */
static int failure_of(int peer_fd)
{
	struct sandbox_output output = { 0 };
	int fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 100, &fd);

	cr_assert_geq(peer_fd, 0);
	stream.peer_fd = peer_fd;
	cr_assert_eq(fd_write_all(fd, "lost", 4), 0);
	close(fd);
	cr_expect_not(sandbox_stream_drain(&stream));
	cr_expect_lt(stream.fd, 0);
	close(peer_fd);
	return stream.failure;
}

Test(sandbox_stream, a_full_disk_is_told_and_a_reader_that_is_gone_is_not)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	cr_expect_eq(failure_of(open("/dev/full", O_WRONLY | O_CLOEXEC)), ENOSPC);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	cr_expect_eq(failure_of(fds[1]), 0);
}

Test(sandbox_stream, a_reader_that_does_not_read_is_for_the_caller_to_wait_for)
{
	struct sandbox_output output = { 0 };
	char text[16];
	int fds[2], fd = -EBADF;
	struct sandbox_stream stream = open_output(&output, 100, &fd);

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(fds[1], text, sizeof(text)) > 0) {}
	stream.peer_fd = fds[1];
	cr_assert_eq(fd_write_all(fd, "late", 4), 0);
	close(fd);
	cr_expect(sandbox_stream_drain(&stream));
	cr_expect_geq(stream.fd, 0, "it is not lost yet");
	while (read(fds[0], text, sizeof(text)) > 0) {}
	cr_expect_not(sandbox_stream_drain(&stream));
	cr_expect_lt(stream.fd, 0);
	cr_expect_eq(read(fds[0], text, sizeof(text)), 4);
	cr_expect_eq(memcmp(text, "late", 4), 0);
	close(fds[0]);
	close(fds[1]);
}
