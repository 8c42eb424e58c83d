/* Plain streams: the process has containerd's fifos and files themselves. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/shim/io_fixture.h"

Test(io, output_waits_for_a_reader_that_comes_after_the_end)
{
	IO_FIXTURE(fixture);
	int fd;

	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo early; echo late >&2")), 0);
	io_fixture_finish(&fixture);
	fd = io_fixture_reader(fixture.out);
	io_fixture_expect(&fixture, fd, "early\n");
	io_fixture_expect_end(&fixture, fd);
	close(fd);
	fd = io_fixture_reader(fixture.err);
	io_fixture_expect(&fixture, fd, "late\n");
	io_fixture_expect_end(&fixture, fd);
	close(fd);
}

/* As containerd opens it after its restart: without O_NONBLOCK the opening itself waits for a writer. */
Test(io, a_reader_that_waits_for_a_writer_gets_what_is_left)
{
	IO_FIXTURE(fixture);
	char text[16];
	pid_t reader;

	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo left")), 0);
	io_fixture_finish(&fixture);
	reader = fork();
	if (reader == 0) {
		close_range(3, ~0U, 0);
		cr_assert_eq(chdir(fixture.scratch.path), 0);
		alarm(IO_PATIENCE / 1000); /* where nobody ever writes, it waits for good */
		execl("/bin/sh", "sh", "-c", "cat < out > came", NULL);
		_exit(127);
	}
	cr_expect_eq(io_fixture_wait(&fixture, reader), 0);
	cr_expect_str_eq(scratch_text(&fixture.scratch, "came", text, sizeof(text)), "left\n");
}

Test(io, the_reader_may_go_and_come_back)
{
	IO_FIXTURE(fixture);
	int in, out;
	pid_t pid;

	io_fixture_open(&fixture);
	in = io_fixture_writer(fixture.in);
	out = io_fixture_reader(fixture.out);
	pid = io_fixture_shell(&fixture, "while read line; do echo got $line; echo and $line >&2; done; exit 7");
	cr_assert_eq(write(in, "1\n", 2), 2);
	io_fixture_expect(&fixture, out, "got 1\n");
	close(out);
	cr_assert_eq(write(in, "2\n", 2), 2);
	/* stderr tells that the line went out while nobody read stdout. */
	out = io_fixture_reader(fixture.err);
	io_fixture_expect(&fixture, out, "and 1\nand 2\n");
	close(out);
	out = io_fixture_reader(fixture.out);
	io_fixture_expect(&fixture, out, "got 2\n");
	io_close_in(fixture.io);
	close(in);
	cr_expect_eq(io_fixture_wait(&fixture, pid), W_EXITCODE(7, 0), "killed by SIGPIPE?");
	io_fixture_finish(&fixture);
	io_fixture_expect_end(&fixture, out);
	close(out);
}

Test(io, the_end_comes_with_the_process_s_not_before)
{
	IO_FIXTURE(fixture);
	char byte;
	int out, in;
	pid_t pid;

	io_fixture_open(&fixture);
	out = io_fixture_reader(fixture.out);
	in = io_fixture_writer(fixture.in);
	pid = io_fixture_shell(&fixture, "exec >&-; read line; exit 0");
	cr_assert_eq(write(in, "x\n", 2), 2);
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	cr_expect_eq(read(out, &byte, 1), -1);
	cr_expect_eq(errno, EAGAIN, "the reader sees an end although the process could still be asked to write");
	io_fixture_finish(&fixture);
	cr_expect_eq(read(out, &byte, 1), 0);
	close(out);
	close(in);
}

Test(io, a_reader_that_stops_stops_its_own_stream_only)
{
	IO_FIXTURE(fixture);
	int out, err;
	pid_t pid;

	io_fixture_open(&fixture);
	out = io_fixture_reader(fixture.out);
	err = io_fixture_reader(fixture.err);
	pid = io_fixture_shell(&fixture, "head -c 1000000 /dev/zero >&2 & seq 1 3; wait");
	io_fixture_expect(&fixture, out, "1\n2\n3\n");
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), 0);
	{
		AUTO_FREE char *bytes = malloc(1000000);

		cr_expect_eq(io_fixture_read(&fixture, err, bytes, 1000000), 1000000);
	}
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(out);
	close(err);
}

Test(io, input_ends_when_it_was_closed_and_the_client_is_gone)
{
	IO_FIXTURE(fixture);
	int in, out;
	pid_t pid;

	io_fixture_open(&fixture);
	out = io_fixture_reader(fixture.out);
	pid = io_fixture_shell(&fixture, "cat; echo end");
	in = io_fixture_writer(fixture.in);
	cr_assert_eq(write(in, "a", 1), 1);
	io_fixture_expect(&fixture, out, "a");
	close(in); /* the client went away, and another comes */
	in = io_fixture_writer(fixture.in);
	cr_assert_eq(write(in, "b", 1), 1);
	io_fixture_expect(&fixture, out, "b");
	io_close_in(fixture.io);
	cr_assert_eq(write(in, "c", 1), 1);
	io_fixture_expect(&fixture, out, "c");
	close(in);
	io_fixture_expect(&fixture, out, "end\n");
	cr_expect_eq(io_fixture_wait(&fixture, pid), 0);
	close(out);
}

Test(io, input_closed_before_the_start_does_not_hang_it)
{
	IO_FIXTURE(fixture);

	io_fixture_open(&fixture);
	io_close_in(fixture.io);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "cat")), 0);
}

static int check_flags(const void *unused)
{
	(void)unused;
	for (int fd = 0; fd < 3; fd++) {
		int flags = fcntl(fd, F_GETFL), mode = fd == 0 ? O_RDONLY : O_WRONLY;

		if (flags & O_NONBLOCK || (flags & O_ACCMODE) != mode || fcntl(fd, F_GETFD) & FD_CLOEXEC)
			return 10 + fd;
		if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			return 20 + fd;
	}
	return 0;
}

Test(io, the_process_has_descriptions_of_its_own)
{
	IO_FIXTURE(fixture);

	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_run(&fixture, check_flags, NULL)), 0);
	/* What the first one set on its own is not there for a second one. */
	fixture.n_finished = 0;
	io_free(fixture.io);
	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_run(&fixture, check_flags, NULL)), 0);
}

Test(io, without_names_all_is_dev_null)
{
	IO_FIXTURE(fixture);

	fixture.options.in = fixture.options.out = fixture.options.err = "";
	io_fixture_open(&fixture);
	cr_expect_eq(scratch_count_fds(), fixture.n_fds, "/dev/null is opened where it is needed alone");
	cr_expect_eq(io_fixture_wait(
			     &fixture,
			     io_fixture_shell(&fixture,
					      "for fd in 0 1 2; do [ /proc/self/fd/$fd -ef /dev/null ] || exit 1; done")),
		     0);
	io_fixture_finish(&fixture);
}

Test(io, both_outputs_may_be_one_fifo)
{
	IO_FIXTURE(fixture);
	int out;

	fixture.options.err = fixture.options.out;
	io_fixture_open(&fixture);
	out = io_fixture_reader(fixture.out);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo 1; echo 2 >&2; echo 3")), 0);
	io_fixture_finish(&fixture);
	io_fixture_expect(&fixture, out, "1\n2\n3\n");
	io_fixture_expect_end(&fixture, out);
	close(out);
}

Test(io, a_file_takes_both_outputs_at_its_end)
{
	IO_FIXTURE(fixture);
	char uri[300], text[64];

	snprintf(uri, sizeof(uri), "file://%s/a%%20b/log", fixture.scratch.path);
	scratch_directory(&fixture.scratch, "a b");
	scratch_file(&fixture.scratch, "a b/log", "0\n", 0600);
	fixture.options.out = uri;
	fixture.options.err = "";
	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo 1; echo 2 >&2; echo 3")), 0);
	io_fixture_finish(&fixture);
	cr_expect_str_eq(scratch_text(&fixture.scratch, "a b/log", text, sizeof(text)), "0\n1\n2\n3\n");
}

Test(io, a_file_is_made_with_its_directories)
{
	IO_FIXTURE(fixture);
	char uri[300];

	snprintf(uri, sizeof(uri), "file://%s/x/y/log", fixture.scratch.path);
	fixture.options.out = fixture.options.err = uri;
	umask(022);
	io_fixture_open(&fixture);
	cr_expect_eq(scratch_mode(&fixture.scratch, "x") & 07777, 0711);
	cr_expect_eq(scratch_mode(&fixture.scratch, "x/y") & 07777, 0711);
	cr_expect_eq(scratch_mode(&fixture.scratch, "x/y/log") & 07777, 0640);
}

struct refused {
	const char *in, *out, *err; /* %s is the directory */
	enum error_kind kind;
	const char *message;
};

static const struct refused refused[] = {
	{ "%s/missing", "", "", ERROR_NOT_FOUND, "stdin: there is no fifo" },
	{ "", "%s/missing", "", ERROR_NOT_FOUND, "stdout: there is no fifo" },
	{ "%s/in", "%s/out", "%s/missing", ERROR_NOT_FOUND, "stderr: there is no fifo" },
	{ "", "%s/plain", "", ERROR_INVALID, "plain is not a fifo" },
	{ "%s/plain", "", "", ERROR_INVALID, "plain is not a fifo" },
	{ "", "/dev/full", "", ERROR_INVALID, "/dev/full is not a fifo" },
	{ "", "%s", "", ERROR_INVALID, "is not a fifo" },
	{ "", "%s/link", "", ERROR_INVALID, "is a symbolic link" },
	{ "", "fifo://%s/link", "", ERROR_INVALID, "is a symbolic link" },
	{ "", "out", "", ERROR_INVALID, "absolute" },
	{ "", "file://log", "", ERROR_INVALID, "absolute" },
	{ "", "file://", "", ERROR_INVALID, "absolute" },
	{ "", "file://%s/%%2", "", ERROR_INVALID, "percent" },
	{ "", "file://%s/%%00", "", ERROR_INVALID, "percent" },
	{ "", "file://%s/out", "", ERROR_INVALID, "out is not a regular file" },
	{ "", "file://%s", "", ERROR_INVALID, "is not a regular file" },
	{ "", "file://%s/filelink", "", ERROR_INVALID, "is a symbolic link" },
	{ "", "file:///dev/null", "", ERROR_INVALID, "not a regular file" },
	{ "", "http://%s/out", "", ERROR_INVALID, "a scheme other than" },
	{ "", "streaming://host?id=1", "", ERROR_INVALID, "a scheme other than" },
	{ "file://%s/plain", "", "", ERROR_INVALID, "stdin" },
	{ "binary:///bin/true", "", "", ERROR_INVALID, "stdin" },
	{ "", "", "binary:///bin/true", ERROR_INVALID, "both outputs" },
	{ "", "binary:///bin/true", "%s/err", ERROR_INVALID, "stderr has to go there too" },
};

Test(io, refuses_what_is_no_stream)
{
	IO_FIXTURE(fixture);
	char in[300], out[300], err[300];

	scratch_file(&fixture.scratch, "plain", "", 0600);
	scratch_link(&fixture.scratch, "link", "out");
	scratch_link(&fixture.scratch, "filelink", "plain");
	fixture.options.in = in;
	fixture.options.out = out;
	fixture.options.err = err;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error error = { 0 };

		snprintf(in, sizeof(in), refused[i].in, fixture.scratch.path);
		snprintf(out, sizeof(out), refused[i].out, fixture.scratch.path);
		snprintf(err, sizeof(err), refused[i].err, fixture.scratch.path);
		cr_expect_lt(io_open(&fixture.options, &fixture.io, &error), 0, "%s %s %s is taken", in, out, err);
		cr_expect_null(fixture.io);
		cr_expect_eq(error.kind, refused[i].kind, "%s %s %s: kind %d: %s", in, out, err, error.kind,
			     error.message);
		cr_expect_not_null(strstr(error.message, refused[i].message), "got: %s", error.message);
		cr_expect_eq(scratch_count_fds(), fixture.n_fds, "%s %s %s leaves descriptors", in, out, err);
	}
}

Test(io, refuses_a_name_without_end)
{
	IO_FIXTURE(fixture);
	AUTO_FREE char *name = malloc(100000);

	memset(name, 'a', 100000);
	name[0] = '/';
	name[5000] = '\0';
	fixture.options.out = name;
	cr_expect_eq(io_open(&fixture.options, &fixture.io, &fixture.error), -EINVAL);
	name[5000] = 'a';
	name[99999] = '\0';
	cr_expect_eq(io_open(&fixture.options, &fixture.io, &fixture.error), -EINVAL);
	cr_expect_null(fixture.io);
}

Test(io, a_plain_stream_has_no_terminal)
{
	IO_FIXTURE(fixture);

	io_fixture_open(&fixture);
	cr_expect_eq(io_console_fd(fixture.io), -EBADF);
	cr_expect_lt(io_resize(fixture.io, 80, 25, &fixture.error), 0);
	cr_expect_eq(fixture.error.kind, ERROR_STATE);
}

static void free_io(void *context)
{
	struct io_fixture *fixture = context;

	io_free(fixture->io);
	fixture->io = NULL;
}

Test(io, may_be_freed_when_it_is_finished)
{
	IO_FIXTURE(fixture);

	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo unread")), 0);
	io_finish(fixture.io, 0, free_io, &fixture);
	cr_expect_null(fixture.io);
}
