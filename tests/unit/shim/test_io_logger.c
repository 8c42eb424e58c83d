#include <inttypes.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "shim/io/logger.h"
#include "tests/unit/shim/io_fixture.h"

/* A fixture whose outputs go to the program "logger" with that script. uri: room for its name. */
static void use_logger(struct io_fixture *fixture, char uri[400], const char *script, const char *query)
{
	char text[2000];

	snprintf(text, sizeof(text), "#!/bin/sh\ncd %s\n%s\n", fixture->scratch.path, script);
	scratch_file(&fixture->scratch, "logger", text, 0755);
	snprintf(uri, 400, "binary://%s/logger%s", fixture->scratch.path, query);
	fixture->options.out = fixture->options.err = uri;
}

static void expect_text(const struct scratch *scratch, const char *name, const char *expected)
{
	char text[4096];

	cr_expect_str_eq(scratch_text(scratch, name, text, sizeof(text)), expected);
}

/* Until no child is left: the logger has seen the end of its input. */
static void wait_for_all(struct io_fixture *fixture)
{
	uint64_t since = loop_now();

	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		cr_assert_lt(loop_now() - since, IO_PATIENCE * UINT64_C(1000000), "the logger does not end");
		cr_assert_geq(loop_step(fixture->loop, /* max_wait= */ 1), 0);
	}
}

Test(io_logger, takes_both_outputs_and_sees_their_end)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri, "exec 5>&-; cat <&3 >out.log & cat <&4 >err.log; wait", "");
	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "echo 1; echo 2 >&2; echo 3")), 0);
	io_fixture_finish(&fixture);
	wait_for_all(&fixture);
	expect_text(&fixture.scratch, "out.log", "1\n3\n");
	expect_text(&fixture.scratch, "err.log", "2\n");
}

Test(io_logger, is_started_as_containerd_does_it)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri,
		   "for argument; do echo \"[$argument]\"; done >args.log; tr '\\0' '\\n' </proc/$$/environ >env.log; cat <&3",
		   "?id=a%20b&x&_Y=1+2&id=c%26d");
	io_fixture_open(&fixture);
	io_fixture_finish(&fixture);
	wait_for_all(&fixture);
	expect_text(&fixture.scratch, "args.log", "[id]\n[a b]\n[x]\n[]\n[_Y]\n[1 2]\n[id]\n[c&d]\n");
	expect_text(&fixture.scratch, "env.log", "CONTAINER_ID=web-1\nCONTAINER_NAMESPACE=k8s.io\n");
}

Test(io_logger, inherits_nothing)
{
	IO_FIXTURE(fixture);
	char uri[400], text[256];
	uint64_t blocked = 1, ignored = 1;

	/* Read by the shell itself: while it forks, signals are blocked. */
	snprintf(uri, sizeof(uri),
		 "binary:///bin/sh?-c=cd+%s;"
		 "while+read+name+mask;do+case+$name+in+SigBlk:|SigIgn:)echo+$name+$mask;;esac;done+</proc/$$/status+>signals.log;"
		 "(ls+/proc/$$/fd)>fds.log;cat+<%%263",
		 fixture.scratch.path);
	fixture.options.out = fixture.options.err = uri;
	signal(SIGPIPE, SIG_IGN);
	io_fixture_open(&fixture);
	io_fixture_finish(&fixture);
	wait_for_all(&fixture);
	expect_text(&fixture.scratch, "fds.log", "0\n1\n2\n3\n4\n5\n");
	scratch_text(&fixture.scratch, "signals.log", text, sizeof(text));
	cr_assert_eq(sscanf(text, "SigBlk: %" SCNx64 " SigIgn: %" SCNx64, &blocked, &ignored), 2, "%s", text);
	cr_expect_eq(blocked, 0, "%s", text);
	/* 32 and 33 are libc's own: it changes them for nobody, and whoever runs the tests may have them ignored. */
	cr_expect_eq(ignored & ~(UINT64_C(3) << 31), 0, "%s", text);
}

Test(io_logger, takes_a_terminal_s_output)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri, "exec 5>&-; cat <&3 >out.log; cat <&4 >err.log", "");
	fixture.options.terminal = true;
	io_fixture_open(&fixture);
	cr_expect_eq(io_fixture_wait(&fixture, io_fixture_shell(&fixture, "seq 1 5; echo 6 >&2")), 0);
	io_fixture_finish(&fixture);
	wait_for_all(&fixture);
	expect_text(&fixture.scratch, "out.log", "1\n2\n3\n4\n5\n6\n");
	expect_text(&fixture.scratch, "err.log", "");
}

Test(io_logger, that_dies_neither_kills_nor_blocks_the_container)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri, "exec 5>&-; head -c 10 <&3 >out.log", "");
	io_fixture_open(&fixture);
	cr_expect_eq(
		io_fixture_wait(&fixture,
				io_fixture_shell(&fixture, "yes | head -c 1000000; yes | head -c 1000000 >&2; exit 3")),
		W_EXITCODE(3, 0));
	io_fixture_finish(&fixture);
	expect_text(&fixture.scratch, "out.log", "y\ny\ny\ny\ny\n");
}

/* The failure as io_enter has it, which would wait longer. */
static void start_and_wait(struct io_fixture *fixture, char *text, int timeout)
{
	AUTO(uri_done) struct uri uri = { .scheme = URI_NONE };
	AUTO(logger_done) struct logger logger = LOGGER_NONE;
	struct logger_options options = { .uri = &uri, .container_id = "web-1", .namespace = "k8s.io" };

	cr_assert_eq(uri_parse(text, "stdout", &uri, NULL), 0);
	cr_assert_eq(logger_start(&options, &logger, &fixture->error), 0, "%s", fixture->error.message);
	cr_expect_lt(logger_wait_ready(&logger, timeout, &fixture->error), 0);
	logger_kill(&logger);
}

Test(io_logger, that_is_never_ready_is_waited_for_with_a_bound)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri, "exec sleep 1000", "");
	start_and_wait(&fixture, uri, 50);
	cr_expect_eq(fixture.error.kind, ERROR_TIMEOUT);
	cr_expect_not_null(strstr(fixture.error.message, "close descriptor 5"), "got: %s", fixture.error.message);
	wait_for_all(&fixture);
}

Test(io_logger, that_was_never_of_use_is_killed)
{
	IO_FIXTURE(fixture);
	char uri[400];

	use_logger(&fixture, uri, "exec sleep 1000", "");
	io_fixture_open(&fixture);
	io_free(steal_ptr(&fixture.io));
	wait_for_all(&fixture);
}

static bool kernel_signals_groups(void)
{
	AUTO_CLOSE int pidfd = sys_pidfd_open(getpid(), 0);

	return sys_pidfd_signal_group(pidfd, 0) == 0 || errno != EINVAL;
}

/* Its container fails once the script has made the file. */
static void expect_all_killed(const char *script, bool is_reaped)
{
	IO_FIXTURE(fixture);
	char uri[400];
	uint64_t since = loop_now();

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	use_logger(&fixture, uri, script, "");
	io_fixture_open(&fixture);
	while (!scratch_has(&fixture.scratch, "started"))
		cr_assert_lt(loop_now() - since, IO_PATIENCE * UINT64_C(1000000), "the logger does not start");
	if (is_reaped)
		cr_assert_gt(wait(NULL), 0);
	io_free(steal_ptr(&fixture.io));
	wait_for_all(&fixture);
}

Test(io_logger, that_was_never_of_use_is_killed_with_its_children)
{
	expect_all_killed("sleep 1000 & echo >started; wait", /* is_reaped= */ false);
}

Test(io_logger, that_ended_before_it_was_ready_leaves_no_children)
{
	if (!kernel_signals_groups())
		cr_skip_test("a group whose leader has been reaped can be signalled since Linux 6.9");
	expect_all_killed("sleep 1000 & echo >started", /* is_reaped= */ true);
}

Test(io_logger, that_can_t_be_executed_says_why)
{
	IO_FIXTURE(fixture);
	char uri[400];

	scratch_file(&fixture.scratch, "garbage", "\177ELF not", 0755);
	snprintf(uri, sizeof(uri), "binary://%s/garbage", fixture.scratch.path);
	start_and_wait(&fixture, uri, IO_PATIENCE);
	cr_expect_eq(fixture.error.kind, ERROR_PROGRAM);
	cr_expect_not_null(strstr(fixture.error.message, "Exec format error"), "got: %s", fixture.error.message);
	wait_for_all(&fixture);
}

struct refused_logger {
	const char *name, *query;
	enum error_kind kind;
	const char *message;
};

static const struct refused_logger refused[] = {
	{ "missing", "", ERROR_NOT_FOUND, "missing" },
	{ "shared", "", ERROR_REFUSED, "can be changed by others" },
	{ "open", "", ERROR_REFUSED, "can be changed by others" },
	{ "foreign", "", ERROR_REFUSED, "can be changed by others" },
	{ "text", "", ERROR_INVALID, "not an executable" },
	{ "directory", "", ERROR_INVALID, "not an executable" },
	{ "good", "?a=%zz", ERROR_INVALID, "percent" },
	{ "good", "?%00", ERROR_INVALID, "percent" },
};

Test(io_logger, refuses_what_others_can_change)
{
	IO_FIXTURE(fixture);
	char uri[400];

	scratch_file(&fixture.scratch, "shared", "", 0775);
	scratch_file(&fixture.scratch, "open", "", 0757);
	scratch_file(&fixture.scratch, "foreign", "", 0755);
	scratch_file(&fixture.scratch, "text", "", 0644);
	scratch_file(&fixture.scratch, "good", "", 0755);
	scratch_directory(&fixture.scratch, "directory");
	fixture.options.out = fixture.options.err = uri;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (strcmp(refused[i].name, "foreign") == 0 &&
		    fchownat(fixture.scratch.fd, "foreign", 12345, 12345, 0) < 0)
			continue; /* not root */
		snprintf(uri, sizeof(uri), "binary://%s/%s%s", fixture.scratch.path, refused[i].name, refused[i].query);
		fixture.error = (struct error){ 0 };
		cr_expect_lt(io_open(&fixture.options, &fixture.io, &fixture.error), 0, "%s is taken", uri);
		cr_expect_eq(fixture.error.kind, refused[i].kind, "%s: %s", uri, fixture.error.message);
		cr_expect_not_null(strstr(fixture.error.message, refused[i].message), "got: %s", fixture.error.message);
		cr_expect_eq(scratch_count_fds(), fixture.n_fds, "%s leaves descriptors", uri);
	}
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "nothing was started");
}

Test(io_logger, refuses_too_many_arguments)
{
	IO_FIXTURE(fixture);
	char uri[4096] = "binary:///bin/true?";

	while (strlen(uri) < 1000)
		strcat(uri, "a=b&");
	fixture.options.out = fixture.options.err = uri;
	cr_expect_eq(io_open(&fixture.options, &fixture.io, &fixture.error), -EINVAL);
	cr_expect_not_null(strstr(fixture.error.message, "arguments"), "got: %s", fixture.error.message);
}
