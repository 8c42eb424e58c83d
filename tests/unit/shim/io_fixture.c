#include "tests/unit/shim/io_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

#define NS_PER_MS UINT64_C(1000000)

static void count_overflow(void *context)
{
	struct io_fixture *fixture = context;

	fixture->n_overflowed++;
}

static void count_finish(void *context)
{
	struct io_fixture *fixture = context;

	fixture->n_finished++;
}

void io_fixture_init(struct io_fixture *fixture)
{
	*fixture = (struct io_fixture){ .scratch = scratch_new() };
	cr_assert_eq(loop_new(&fixture->loop, NULL), 0);
	snprintf(fixture->in, sizeof(fixture->in), "%s/in", fixture->scratch.path);
	snprintf(fixture->out, sizeof(fixture->out), "%s/out", fixture->scratch.path);
	snprintf(fixture->err, sizeof(fixture->err), "%s/err", fixture->scratch.path);
	cr_assert_eq(mkfifo(fixture->in, 0600), 0);
	cr_assert_eq(mkfifo(fixture->out, 0600), 0);
	cr_assert_eq(mkfifo(fixture->err, 0600), 0);
	fixture->options = (struct io_options){
		.loop = fixture->loop,
		.in = fixture->in,
		.out = fixture->out,
		.err = fixture->err,
		.container_id = "web-1",
		.namespace = "k8s.io",
		.overflowed = count_overflow,
		.context = fixture,
	};
	fixture->n_fds = scratch_count_fds();
}

void io_fixture_done(struct io_fixture *fixture)
{
	io_free(fixture->io);
	cr_expect_eq(scratch_count_fds(), fixture->n_fds, "descriptors are left open");
	loop_free(fixture->loop);
	scratch_done(&fixture->scratch);
}

void io_fixture_open(struct io_fixture *fixture)
{
	cr_assert_eq(io_open(&fixture->options, &fixture->io, &fixture->error), 0, "%s", fixture->error.message);
}

/* What the runtime's child does. */
static void make_terminal(int console_fd)
{
	int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0, slave_fd;
	struct termios raw;

	if (master_fd < 0 || ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		_exit(101);
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0 || setsid() < 0 || ioctl(slave_fd, TIOCSCTTY, 0) < 0 || tcgetattr(slave_fd, &raw) < 0)
		_exit(102);
	cfmakeraw(&raw);
	if (tcsetattr(slave_fd, TCSANOW, &raw) < 0 || fd_send(console_fd, "/dev/ptmx", 9, master_fd) < 0)
		_exit(103);
	close(master_fd);
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(slave_fd, fd) < 0)
			_exit(104);
	}
	close(slave_fd);
}

static void enter(const struct io_fixture *fixture, int ready_fd)
{
	struct error err = { 0 };
	char byte = 0;

	if (io_enter(fixture->io, &err) < 0) {
		dprintf(STDERR_FILENO, "%s\n", err.message);
		_exit(100);
	}
	if (fixture->options.terminal)
		make_terminal(io_console_fd(fixture->io));
	if (write(ready_fd, &byte, 1) != 1)
		_exit(105);
	/* As the runtime's child does it: nothing of the shim's stays open. */
	close_range(3, ~0U, 0);
}

pid_t io_fixture_run(struct io_fixture *fixture, int (*program)(const void *), const void *context)
{
	int ready[2];
	pid_t pid;
	char byte;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		enter(fixture, ready[1]);
		_exit(program(context));
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1, "the worker failed");
	close(ready[0]);
	cr_assert_eq(io_begin(fixture->io, &fixture->error), 0, "%s", fixture->error.message);
	return pid;
}

static int run_shell(const void *context)
{
	const char *script = context;

	execl("/bin/sh", "sh", "-c", script, NULL);
	return 127;
}

pid_t io_fixture_shell(struct io_fixture *fixture, const char *script)
{
	return io_fixture_run(fixture, run_shell, script);
}

static bool is_patient(uint64_t since)
{
	return loop_now() - since < IO_PATIENCE * NS_PER_MS;
}

int io_fixture_wait(struct io_fixture *fixture, pid_t pid)
{
	uint64_t since = loop_now();
	int status = -1;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		cr_assert(is_patient(since), "the process does not end");
		cr_assert_geq(loop_step(fixture->loop, /* max_wait= */ 1), 0);
	}
	return status;
}

void io_fixture_finish(struct io_fixture *fixture)
{
	io_fixture_finish_within(fixture, 2 * IO_PATIENCE * NS_PER_MS);
}

void io_fixture_finish_within(struct io_fixture *fixture, uint64_t timeout)
{
	uint64_t since = loop_now();

	io_finish(fixture->io, timeout, count_finish, fixture);
	while (fixture->n_finished == 0) {
		cr_assert(is_patient(since), "the streams do not finish");
		cr_assert_geq(loop_step(fixture->loop, /* max_wait= */ 1), 0);
	}
	cr_expect_eq(fixture->n_finished, 1);
}

int io_fixture_reader(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

int io_fixture_writer(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	cr_assert_geq(fd, 0, "nobody reads %s", path);
	return fd;
}

size_t io_fixture_read(struct io_fixture *fixture, int fd, void *bytes, size_t n)
{
	uint64_t since = loop_now();
	size_t length = 0;

	while (length < n) {
		ssize_t got = read(fd, (char *)bytes + length, n - length);

		if (got == 0)
			break;
		if (got > 0) {
			length += (size_t)got;
			continue;
		}
		cr_assert_eq(errno, EAGAIN);
		cr_assert(is_patient(since), "only %zu of %zu bytes came", length, n);
		cr_assert_geq(loop_step(fixture->loop, /* max_wait= */ 1), 0);
	}
	return length;
}

void io_fixture_expect(struct io_fixture *fixture, int fd, const char *text)
{
	char came[4096] = "";

	cr_assert_lt(strlen(text), sizeof(came));
	io_fixture_read(fixture, fd, came, strlen(text));
	cr_expect_str_eq(came, text);
}

void io_fixture_expect_end(struct io_fixture *fixture, int fd)
{
	char byte;

	cr_expect_eq(io_fixture_read(fixture, fd, &byte, 1), 0, "more came");
}

void io_fixture_expect_idle(struct io_fixture *fixture)
{
	unsigned n = 0;

	/* What is on its way may come; then there is silence. */
	while (n < 10000 && loop_step(fixture->loop, /* max_wait= */ 50) > 0)
		n++;
	cr_expect_lt(n, 10000, "the loop spins");
}

static void fill_pattern(unsigned char *bytes, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(((from + i) * 2654435761U) >> 13);
}

int io_fixture_write_pattern(const void *unused)
{
	unsigned char bytes[10007];
	size_t n;

	(void)unused;
	for (size_t at = 0; at < IO_PATTERN_SIZE; at += n) {
		n = IO_PATTERN_SIZE - at < sizeof(bytes) ? IO_PATTERN_SIZE - at : sizeof(bytes);
		fill_pattern(bytes, at, n);
		if (fd_write_all(STDOUT_FILENO, bytes, n) < 0)
			return 1;
	}
	return 0;
}

void io_fixture_expect_pattern(struct io_fixture *fixture, int fd)
{
	static unsigned char came[65536], expected[65536];
	size_t at = 0, n;

	while (at < IO_PATTERN_SIZE) {
		n = io_fixture_read(fixture, fd, came,
				    IO_PATTERN_SIZE - at < sizeof(came) ? IO_PATTERN_SIZE - at : sizeof(came));
		cr_assert_gt(n, 0, "the end came after %zu bytes", at);
		fill_pattern(expected, at, n);
		cr_assert_eq(memcmp(came, expected, n), 0, "other bytes within %zu of byte %zu", n, at);
		at += n;
	}
}
