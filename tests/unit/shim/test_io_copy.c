/* Streams that go through the shim: a terminal, and output with a limit. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "shim/io/terminal.h"
#include "tests/unit/shim/io_fixture.h"

#define TERMINAL(name)                \
	IO_FIXTURE(name);             \
	name.options.terminal = true; \
	name.options.err = "";        \
	io_fixture_open(&name)

Test(io_terminal, carries_much_unchanged)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out);
	pid_t pid = io_fixture_run(&fixture, io_fixture_write_pattern, NULL);

	io_fixture_expect_pattern(&fixture, out);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	io_fixture_expect_end(&fixture, out);
	close(out);
}

/* The last words are in the kernel still when the process is gone. */
Test(io_terminal, loses_no_last_words)
{
	for (int i = 0; i < 40; i++) {
		TERMINAL(fixture);
		int out = io_fixture_reader(fixture.out);
		pid_t pid = io_fixture_shell(&fixture, "printf '%03000d' 1; printf '%05000d' 2; printf last");
		char came[8005] = "";

		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		io_fixture_finish(&fixture);
		cr_assert_eq(io_fixture_read(&fixture, out, came, 8004), 8004);
		cr_assert_str_eq(came + 8000, "last");
		io_fixture_expect_end(&fixture, out);
		close(out);
	}
}

Test(io_terminal, waits_for_a_slow_reader_without_spinning)
{
	TERMINAL(fixture);
	pid_t pid = io_fixture_run(&fixture, io_fixture_write_pattern, NULL);
	int out;

	io_fixture_expect_idle(&fixture);
	out = io_fixture_reader(fixture.out);
	io_fixture_expect_pattern(&fixture, out);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(out);
}

static int write_lines(const void *unused)
{
	(void)unused;
	for (int i = 0; i < 1000; i++) {
		if (write(STDOUT_FILENO, "a line of 19 bytes\n", 19) != 19)
			return 1;
		usleep(100); /* so that they come one by one */
	}
	return 0;
}

Test(io_terminal, short_lines_do_not_use_up_the_fifo)
{
	TERMINAL(fixture);

	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_run(&fixture, write_lines, NULL)), 0);
	io_fixture_finish(&fixture);
}

Test(io_terminal, output_waits_for_a_reader_that_comes_after_the_end)
{
	TERMINAL(fixture);
	pid_t pid = io_fixture_shell(&fixture, "echo early");
	int out;

	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	out = io_fixture_reader(fixture.out);
	io_fixture_expect(&fixture, out, "early\n");
	io_fixture_expect_end(&fixture, out);
	close(out);
}

Test(io_terminal, input_reaches_it_from_one_client_after_the_other)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out), in = io_fixture_writer(fixture.in);
	pid_t pid = io_fixture_shell(&fixture, "while read line; do echo got $line; [ $line = 3 ] && exit 4; done");

	cr_assert_eq(write(in, "1\n", 2), 2);
	io_fixture_expect(&fixture, out, "got 1\n");
	close(in);
	io_fixture_expect_idle(&fixture);
	in = io_fixture_writer(fixture.in);
	cr_assert_eq(write(in, "2\n", 2), 2);
	io_fixture_expect(&fixture, out, "got 2\n");
	/* What was written before still arrives, and the terminal stays. */
	cr_assert_eq(write(in, "3\n", 2), 2);
	io_close_in(fixture.io);
	io_fixture_expect(&fixture, out, "got 3\n");
	cr_expect_eq(io_fixture_wait(&fixture, pid), W_EXITCODE(4, 0));
	signal(SIGPIPE, SIG_IGN);
	cr_expect_eq(write(in, "4\n", 2), -1);
	cr_expect_eq(errno, EPIPE, "nobody takes input any more");
	close(in);
	close(out);
}

Test(io_terminal, input_that_is_not_read_waits_without_spinning)
{
	static const char bytes[60000] = { 1 };
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out), in = io_fixture_writer(fixture.in);
	pid_t pid = io_fixture_shell(
		&fixture, "trap 'head -c 60000 | wc -c; exit' USR1; echo ready; while :; do sleep 0.01; done");

	io_fixture_expect(&fixture, out, "ready\n");
	cr_assert_eq(write(in, bytes, sizeof(bytes)), sizeof(bytes));
	io_fixture_expect_idle(&fixture);
	cr_assert_eq(kill(pid, SIGUSR1), 0);
	io_fixture_expect(&fixture, out, "60000\n");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(in);
	close(out);
}

/* By the terminal itself, since how much it holds is the kernel's. */
Test(io_terminal, the_end_of_input_is_typed_once_there_is_room)
{
	IO_FIXTURE(fixture);
	AUTO(terminal_done) struct terminal terminal = TERMINAL_NONE;
	AUTO_CLOSE int slave_fd = -EBADF;
	int unlock = 0;
	char lines[1000];
	ssize_t n = 0;

	terminal.input_fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_eq(ioctl(terminal.input_fd, TIOCSPTLCK, &unlock), 0);
	slave_fd = ioctl(terminal.input_fd, TIOCGPTPEER, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(slave_fd, 0);
	for (size_t i = 0; i < sizeof(lines); i += 2)
		memcpy(lines + i, "x\n", 2);
	while (write(terminal.input_fd, lines, sizeof(lines)) > 0 || write(terminal.input_fd, "\n", 1) > 0) {}
	cr_assert_eq(errno, EAGAIN);
	terminal_end_input(&terminal, fixture.loop);
	cr_expect(terminal.end_watch.is_active, "there is room: nothing is tested");
	for (uint64_t since = loop_now(); n != 0 || terminal.n_end_keys;) {
		cr_assert_lt(loop_now() - since, IO_PATIENCE * UINT64_C(1000000), "no end comes");
		cr_assert_geq(loop_step(fixture.loop, /* max_wait= */ 1), 0);
		while ((n = read(slave_fd, lines, sizeof(lines))) > 0) {}
	}
	cr_expect_eq(terminal.n_end_keys, 0);
	cr_expect_not(terminal.end_watch.is_active);
}

Test(io_terminal, takes_a_new_size)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out), in = io_fixture_writer(fixture.in);
	pid_t pid;

	cr_expect_lt(io_resize(fixture.io, 80, 25, &fixture.error), 0);
	cr_expect_eq(fixture.error.kind, ERROR_STATE, "there is none yet");
	pid = io_fixture_shell(&fixture, "read line; stty size");
	cr_expect_eq(io_resize(fixture.io, 132, 43, &fixture.error), 0);
	cr_expect_eq(io_resize(fixture.io, 70000, 43, &fixture.error), -EINVAL);
	cr_assert_eq(write(in, "\n", 1), 1);
	io_fixture_expect(&fixture, out, "43 132\n");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(in);
	close(out);
}

static int leave_and_return(const void *unused)
{
	char name[64];
	int fd, in[2];

	(void)unused;
	if (ttyname_r(0, name, sizeof(name)) != 0 || write(1, "1", 1) != 1 || pipe(in) < 0)
		return 1;
	/* A signal tells when to return, since there is no stream for it. */
	close(0);
	close(1);
	close(2);
	kill(getpid(), SIGSTOP);
	fd = open(name, O_RDWR | O_NOCTTY);
	return write(fd, "2", 1) == 1 ? 0 : 3;
}

Test(io_terminal, may_be_left_by_all_and_opened_again)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out), status;
	pid_t pid = io_fixture_run(&fixture, leave_and_return, NULL);

	io_fixture_expect(&fixture, out, "1");
	cr_assert_eq(waitpid(pid, &status, WUNTRACED), pid);
	cr_assert(WIFSTOPPED(status));
	io_fixture_expect_idle(&fixture);
	cr_assert_eq(kill(pid, SIGCONT), 0);
	io_fixture_expect(&fixture, out, "2");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(out);
}

/* Of a process that outlives its parent with the streams: the first line of the output. */
static pid_t read_pid(struct io_fixture *fixture, int fd)
{
	char text[16] = "";

	for (size_t i = 0; i < sizeof(text) - 1 && (i == 0 || text[i - 1] != '\n'); i++)
		io_fixture_read(fixture, fd, text + i, 1);
	/* Of 0 the whole test would be killed. */
	cr_assert_gt(atoi(text), 1);
	return (pid_t)atoi(text);
}

Test(io_terminal, a_grandchild_that_holds_it_does_not_delay_the_end)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out);
	pid_t pid = io_fixture_shell(&fixture, "trap '' HUP; sleep 1000 & echo $!; echo last"), grandchild;

	grandchild = read_pid(&fixture, out);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	io_fixture_expect(&fixture, out, "last\n");
	io_fixture_expect_end(&fixture, out);
	cr_expect_eq(kill(grandchild, SIGKILL), 0, "it is not there: the test tested nothing");
	close(out);
}

/* A client that reads all the time, as containerd does, whatever the shim is busy with. */
struct reader {
	int fd;
	size_t n_bytes;
	atomic_bool has_ended;
	pthread_t thread;
};

static void *read_on(void *context)
{
	struct reader *reader = context;
	struct pollfd polled = { .fd = reader->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	do {
		poll(&polled, 1, IO_PATIENCE);
		n = read(reader->fd, bytes, sizeof(bytes));
		reader->n_bytes += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	reader->has_ended = true;
	return NULL;
}

static void reader_begin(struct reader *reader)
{
	cr_assert_eq(pthread_create(&reader->thread, NULL, read_on, reader), 0);
}

static void reader_end(struct reader *reader, struct io_fixture *fixture)
{
	while (!reader->has_ended)
		cr_assert_geq(loop_step(fixture->loop, /* max_wait= */ 1), 0);
	pthread_join(reader->thread, NULL);
}

Test(io_terminal, a_grandchild_that_goes_on_writing_does_not_delay_the_end)
{
	TERMINAL(fixture);
	int out = io_fixture_reader(fixture.out);
	pid_t pid = io_fixture_shell(&fixture, "trap '' HUP; sh -c 'echo $$; exec yes' & sleep 0.1"),
	      grandchild = read_pid(&fixture, out);
	struct reader reader = { .fd = out };

	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	cr_expect_eq(kill(grandchild, 0), 0, "it is not there: the test tested nothing");
	reader_begin(&reader);
	io_fixture_finish(&fixture);
	reader_end(&reader, &fixture);
	kill(grandchild, SIGKILL);
	close(out);
}

Test(io_terminal, refuses_what_is_no_terminal)
{
	TERMINAL(fixture);
	int fds[2];

	cr_expect_lt(io_begin(fixture.io, &fixture.error), 0, "nothing was sent");
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(fd_send(io_console_fd(fixture.io), "x", 1, fds[0]), 0);
	cr_expect_lt(io_begin(fixture.io, &fixture.error), 0);
	cr_expect_not_null(strstr(fixture.error.message, "no terminal's master"), "got: %s", fixture.error.message);
	close(fds[0]);
	close(fds[1]);
}

Test(io_limit, carries_much_unchanged)
{
	IO_FIXTURE(fixture);
	int out = io_fixture_reader(fixture.out);
	pid_t pid;

	fixture.options.max_output = IO_PATTERN_SIZE;
	io_fixture_open(&fixture);
	pid = io_fixture_run(&fixture, io_fixture_write_pattern, NULL);
	io_fixture_expect_pattern(&fixture, out);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	io_fixture_expect_end(&fixture, out);
	cr_expect_eq(fixture.n_overflowed, 0, "exactly the limit is within it");
	close(out);
}

static void expect_cut(bool terminal)
{
	IO_FIXTURE(fixture);
	int out = io_fixture_reader(fixture.out);
	char came[1001] = "";
	pid_t pid;

	fixture.options.terminal = terminal;
	fixture.options.max_output = 1000;
	io_fixture_open(&fixture);
	pid = io_fixture_shell(&fixture, "yes | head -c 1000000; exit 5");
	cr_expect_eq(io_fixture_wait(&fixture, pid), W_EXITCODE(5, 0), "the process is not blocked, nor killed");
	io_fixture_finish(&fixture);
	cr_expect_eq(io_fixture_read(&fixture, out, came, 1001), 1000);
	cr_expect_eq(fixture.n_overflowed, 1);
	close(out);
}

Test(io_limit, cuts_and_tells_once)
{
	expect_cut(/* terminal= */ false);
}

Test(io_limit, cuts_a_terminal_s_output)
{
	expect_cut(/* terminal= */ true);
}

Test(io_limit, both_overflow_but_it_is_told_once)
{
	IO_FIXTURE(fixture);
	int out = io_fixture_reader(fixture.out), err = io_fixture_reader(fixture.err);
	pid_t pid;

	fixture.options.max_output = 4;
	io_fixture_open(&fixture);
	pid = io_fixture_shell(&fixture, "echo out-and-more; echo err-and-more >&2");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	io_fixture_expect(&fixture, out, "out-");
	io_fixture_expect_end(&fixture, out);
	io_fixture_expect(&fixture, err, "err-");
	io_fixture_expect_end(&fixture, err);
	cr_expect_eq(fixture.n_overflowed, 1);
	close(out);
	close(err);
}

Test(io_limit, a_reader_that_stops_stops_its_own_stream_only)
{
	IO_FIXTURE(fixture);
	int out, err = io_fixture_reader(fixture.err);
	pid_t pid;

	fixture.options.max_output = 1000000;
	io_fixture_open(&fixture);
	out = io_fixture_reader(fixture.out);
	pid = io_fixture_shell(&fixture, "head -c 500000 /dev/zero >&2 & seq 1 3; wait");
	io_fixture_expect(&fixture, out, "1\n2\n3\n");
	io_fixture_expect_idle(&fixture);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0);
	{
		AUTO_FREE char *bytes = malloc(500000);

		cr_expect_eq(io_fixture_read(&fixture, err, bytes, 500000), 500000);
	}
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(out);
	close(err);
}

Test(io_limit, a_grandchild_that_holds_the_stream_does_not_delay_the_end)
{
	IO_FIXTURE(fixture);
	int out = io_fixture_reader(fixture.out);
	struct reader reader = { .fd = out };
	pid_t pid, grandchild;

	fixture.options.max_output = UINT64_MAX - 1;
	io_fixture_open(&fixture);
	pid = io_fixture_shell(&fixture, "sh -c 'echo $$; exec yes' & sleep 0.1");
	grandchild = read_pid(&fixture, out);
	io_fixture_expect(&fixture, out, "y\n");
	reader_begin(&reader);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	reader_end(&reader, &fixture);
	cr_expect_gt(reader.n_bytes, 0);
	/* It goes on, and nobody keeps what it writes. */
	for (int i = 0; i < 10; i++)
		cr_expect_gt(loop_step(fixture.loop, IO_PATIENCE), 0, "it is blocked");
	cr_expect_eq(kill(grandchild, SIGKILL), 0, "it is not there: the test tested nothing");
	close(out);
}

Test(io_limit, time_passes_where_nobody_reads)
{
	IO_FIXTURE(fixture);
	pid_t pid;

	fixture.options.max_output = 1000000;
	io_fixture_open(&fixture);
	pid = io_fixture_shell(&fixture, "head -c 120000 /dev/zero");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	fixture.n_finished = 0;
	io_fixture_expect_idle(&fixture);
	io_fixture_finish_within(&fixture, 1);
}

Test(io_limit, applies_to_a_file)
{
	IO_FIXTURE(fixture);
	char uri[300], text[64];
	pid_t pid;

	snprintf(uri, sizeof(uri), "file://%s/log", fixture.scratch.path);
	scratch_file(&fixture.scratch, "log", "0\n", 0600);
	fixture.options.out = fixture.options.err = uri;
	fixture.options.max_output = 10;
	io_fixture_open(&fixture);
	pid = io_fixture_shell(&fixture, "echo 1; echo 2; echo 345678901234567890");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	io_fixture_finish(&fixture);
	cr_expect_str_eq(scratch_text(&fixture.scratch, "log", text, sizeof(text)), "0\n1\n2\n345678");
	cr_expect_eq(fixture.n_overflowed, 1);
}
