#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

/* Each test runs in a process of its own, so it can have its stderr in a file. */
static char log_path[] = "/tmp/brig-test-log-XXXXXX", stderr_path[] = "/tmp/brig-test-stderr-XXXXXX";

static void setup(void)
{
	int fd = mkstemp(log_path), stderr_fd = mkostemp(stderr_path, O_APPEND);

	cr_assert(fd >= 0 && stderr_fd >= 0);
	close(fd);
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
}

static void teardown(void)
{
	log_close();
	unlink(log_path);
	unlink(stderr_path);
}

TestSuite(log, .init = setup, .fini = teardown);

static char *content(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buffer text = { 0 };

	cr_assert_eq(fd_read_all(fd, 1 << 20, &text, path, NULL), 0);
	return buffer_steal(&text);
}

static void expect_content(const char *path, const char *wanted)
{
	AUTO_FREE char *text = content(path);

	cr_expect_str_eq(text, wanted);
}

static void open_log(enum log_format format, enum log_level level)
{
	const struct log_options options = { .path = log_path, .format = format, .level = level };
	struct error err = { 0 };

	cr_assert_eq(log_open(&options, &err), 0, "%s", err.message);
}

struct line {
	const char *level, *msg, *time;
	struct opt_u64 elapsed_us;
};

static const struct json_field line_fields[] = {
	{ "level", &json_string, offsetof(struct line, level), JSON_REQUIRED },
	{ "msg", &json_string, offsetof(struct line, msg), JSON_REQUIRED },
	{ "time", &json_string, offsetof(struct line, time), JSON_REQUIRED },
	{ "elapsed_us", &json_opt_u64, offsetof(struct line, elapsed_us), 0 },
	{ 0 },
};
static const struct json_type line_type = JSON_OBJECT_OF(struct line, line_fields);

/* The whole text as one JSON value, as podman reads it. */
static struct line decode(const char *text, struct arena *arena)
{
	struct json_input input = { .text = text, .length = strlen(text) };
	struct line line = { 0 };
	struct error err = { 0 };

	cr_assert_eq(json_decode(&input, &line_type, &line, arena, &err), 0, "%s in: %s", err.message, text);
	return line;
}

static void expect_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	struct timespec now;
	time_t then;

	cr_assert_not_null(rest, "%s", text);
	cr_expect_eq(strlen(rest), strlen(".123456789Z"), "%s", text);
	cr_expect_eq(strspn(rest + 1, "0123456789"), 9, "%s", text);
	cr_expect_str_eq(rest + 10, "Z");
	then = timegm(&tm);
	/* Not time(2), whose clock goes by ticks, and so may be behind that of the line. */
	clock_gettime(CLOCK_REALTIME, &now);
	cr_expect(then <= now.tv_sec && then >= now.tv_sec - 60, "%s is not now", text);
}

Test(log, json_error_is_one_value_and_text_on_stderr)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 16);
	struct line line;

	open_log(LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_debug("not written");
	log_info("not written");
	log_warning("not written where an error follows");
	log_error("exec: \"%s\": executable file not found in $PATH", "sh");
	log_close();
	text = content(log_path);
	line = decode(text, arena);
	cr_expect_str_eq(line.level, "error");
	cr_expect_str_eq(line.msg, "exec: \"sh\": executable file not found in $PATH");
	expect_time(line.time);
	cr_expect_eq(strchr(text, '\n') - text, (ptrdiff_t)strlen(text) - 1, "exactly one line");
	expect_content(stderr_path, "exec: \"sh\": executable file not found in $PATH\n");
	arena_free(arena);
}

Test(log, warnings_are_written_where_all_went_well)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 16);

	open_log(LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_warning("oom_score_adj: can't be lowered");
	expect_content(log_path, "");
	log_close();
	text = content(log_path);
	cr_expect_str_eq(decode(text, arena).level, "warning");
	expect_content(stderr_path, "");
	arena_free(arena);
}

Test(log, a_forked_child_does_not_write_its_parents_warnings)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 16);
	pid_t pid;

	open_log(LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_warning("once");
	pid = fork();
	if (pid == 0) {
		log_close();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	log_close();
	text = content(log_path);
	cr_expect_str_eq(decode(text, arena).msg, "once");
	arena_free(arena);
}

Test(log, json_survives_any_bytes)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 16);

	open_log(LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_error("a\"b\\c\nd\te\x01 \xff\xfe \xc3\xa4 \x7f");
	text = content(log_path);
	cr_expect_str_eq(decode(text, arena).msg, "a\"b\\c\nd\te\x01 \xef\xbf\xbd\xef\xbf\xbd \xc3\xa4 \x7f");
	expect_content(stderr_path, "a\"b\\c\\nd\\te\\x01 \xff\xfe \xc3\xa4 \\x7f\n");
	arena_free(arena);
}

Test(log, a_huge_message_is_cut_and_valid)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 20);
	static char huge[100000];

	memset(huge, '\x01', sizeof(huge) - 1);
	open_log(LOG_FORMAT_JSON, LOG_LEVEL_WARNING);
	log_error("%s", huge);
	text = content(log_path);
	cr_expect_eq(strlen(decode(text, arena).msg), 4095);
	arena_free(arena);
}

Test(log, text_lines_in_a_file)
{
	AUTO_FREE char *text = NULL;
	const char *rest;

	open_log(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_warning("a \"quoted\" \\ word\nand a forged line \x1b[31m \xc2\x9b");
	log_error("second");
	text = content(log_path);
	rest = strchr(text, ' ');
	cr_assert_not_null(rest);
	cr_expect_eq(strncmp(text, "time=\"20", 8), 0);
	cr_expect_not_null(strstr(text, " level=warning msg=\"a \\\"quoted\\\" \\\\ word\\nand a forged line \\x1b[31m "
					"\\xc2\\x9b\"\n"),
			   "got: %s", text);
	cr_expect_not_null(strstr(text, " level=error msg=\"second\"\n"));
	expect_content(stderr_path, "second\n");
}

Test(log, stderr_alone_names_the_program)
{
	const struct log_options options = { .level = LOG_LEVEL_WARNING };

	cr_assert_eq(log_open(&options, NULL), 0);
	log_debug("not written");
	log_warning("careful");
	log_error("failed");
	expect_content(stderr_path, "brig: warning: careful\nbrig: failed\n");
	cr_expect_lt(log_fd(), 0);
}

Test(log, debug_lines_tell_the_time_since_the_start)
{
	AUTO_FREE char *text = NULL;
	struct arena *arena = arena_new(1 << 16);
	struct line line;

	open_log(LOG_FORMAT_JSON, LOG_LEVEL_DEBUG);
	cr_expect(log_enabled(LOG_LEVEL_DEBUG));
	usleep(2000);
	log_debug("step");
	text = content(log_path);
	line = decode(text, arena);
	cr_expect(line.elapsed_us.set);
	cr_expect(line.elapsed_us.value >= 2000 && line.elapsed_us.value < 60000000);
	expect_content(stderr_path, "");
	arena_free(arena);
}

Test(log, appends_to_what_is_there)
{
	AUTO_FREE char *text = NULL;

	open_log(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_error("one");
	open_log(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	log_error("two");
	text = content(log_path);
	cr_expect(strstr(text, "msg=\"one\"") && strstr(text, "msg=\"two\""));
}

Test(log, is_a_private_file_that_no_child_inherits)
{
	struct stat status;

	unlink(log_path);
	open_log(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	cr_assert_eq(fstat(log_fd(), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0600);
	cr_expect(fcntl(log_fd(), F_GETFD) & FD_CLOEXEC);
	cr_expect(fcntl(log_fd(), F_GETFL) & O_APPEND);
}

Test(log, never_becomes_a_standard_stream)
{
	close(STDIN_FILENO);
	open_log(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	cr_expect_gt(log_fd(), STDERR_FILENO);
	cr_expect_lt(fcntl(STDIN_FILENO, F_GETFD), 0);
}

Test(log, that_can_not_be_opened_is_an_error)
{
	const struct log_options options = { .path = "/nonexistent/log" };
	struct error err = { 0 };

	cr_expect_lt(log_open(&options, &err), 0);
	cr_expect_str_eq(err.message, "open the log file /nonexistent/log (--log): No such file or directory");
}
