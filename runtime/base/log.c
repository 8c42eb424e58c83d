#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/json_write.h"
#include "base/timestamp.h"

#define MESSAGE_MAX 4096
#define LINE_LIMIT ((size_t)64 * 1024)
#define HELD_LIMIT ((size_t)8 * 1024)

/* The log is a process's: the one place outside of cmd/ that holds state (STYLE, rule 13). */
static struct {
	int file_fd;
	enum log_format format;
	enum log_level level;
	struct timespec start;
	pid_t opened_by;
	/* podman reads a whole JSON log as one value, so a failure must be its only line: until it is known how the
	 * request ends, warnings wait here. */
	bool holds_warnings;
	struct buffer held;
} sink = { .file_fd = -EBADF, .level = LOG_LEVEL_WARNING };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* Never a standard stream: where one of those is closed, open(2) would give its number to the file. */
static int open_file(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	int moved;

	if (fd < 0)
		return -errno;
	if (fd > STDERR_FILENO)
		return steal_fd(&fd);
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return moved < 0 ? -errno : moved;
}

int log_open(const struct log_options *options, struct error *err)
{
	int fd = -EBADF;

	if (options->path) {
		fd = open_file(options->path);
		if (fd < 0)
			return error_system(err, -fd, "open the log file %s (--log)", options->path);
	}
	log_close();
	sink.file_fd = fd;
	sink.format = options->format;
	sink.level = options->level;
	sink.holds_warnings = fd >= 0 && options->format == LOG_FORMAT_JSON && options->level <= LOG_LEVEL_WARNING;
	sink.opened_by = sink.holds_warnings ? getpid() : 0;
	if (options->level == LOG_LEVEL_DEBUG)
		clock_gettime(CLOCK_MONOTONIC, &sink.start);
	return 0;
}

void log_close(void)
{
	/* A forked child has a copy of what its parent will write. */
	if (sink.held.length && getpid() == sink.opened_by)
		(void)fd_write_all(sink.file_fd, sink.held.data, sink.held.length);
	buffer_done(&sink.held);
	close_and_reset(&sink.file_fd);
	sink.format = LOG_FORMAT_TEXT;
	sink.level = LOG_LEVEL_WARNING;
	sink.holds_warnings = false;
}

bool log_enabled(enum log_level level)
{
	return level <= sink.level;
}

int log_fd(void)
{
	return sink.file_fd;
}

static uint64_t elapsed_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - sink.start.tv_sec) * 1000000 + (uint64_t)(now.tv_nsec / 1000) -
	       (uint64_t)(sink.start.tv_nsec / 1000);
}

static void compose_json(struct buffer *line, enum log_level level, const char *message)
{
	char time_text[TIMESTAMP_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, time_text);
	buffer_printf(line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
	json_write_quoted(line, message, strlen(message));
	buffer_printf(line, ",\"time\":\"%s\"", time_text);
	if (level == LOG_LEVEL_DEBUG)
		buffer_printf(line, ",\"elapsed_us\":%llu", (unsigned long long)elapsed_us());
	buffer_append_text(line, "}\n");
}

static void compose_file_text(struct buffer *line, enum log_level level, const char *message)
{
	char time_text[TIMESTAMP_MAX];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, time_text);
	buffer_printf(line, "time=\"%s\" level=%s msg=\"", time_text, level_names[level]);
	buffer_append_visible(line, message, /* quoted= */ true);
	buffer_append_text(line, "\"");
	if (level == LOG_LEVEL_DEBUG)
		buffer_printf(line, " elapsed_us=%llu", (unsigned long long)elapsed_us());
	buffer_append_text(line, "\n");
}

/* For people, and for callers that search an error's text: quotes stay as they are. */
static void compose_stderr_text(struct buffer *line, enum log_level level, const char *message)
{
	if (level == LOG_LEVEL_DEBUG)
		buffer_printf(line, "brig: debug: %8llu us: ", (unsigned long long)elapsed_us());
	else if (level == LOG_LEVEL_ERROR && sink.file_fd < 0)
		buffer_append_text(line, "brig: ");
	else if (level != LOG_LEVEL_ERROR)
		buffer_printf(line, "brig: %s: ", level_names[level]);
	buffer_append_visible(line, message, /* quoted= */ false);
	buffer_append_text(line, "\n");
}

/* Composed whole, and written at once: lines of several processes on one O_APPEND file stay apart. */
static void write_line(int fd, enum log_level level, const char *message,
		       void (*compose)(struct buffer *, enum log_level, const char *))
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer line = { .limit = LINE_LIMIT };

	compose(&line, level, message);
	/* A log that can't be written has nobody to be reported to. */
	if (!line.failed)
		(void)fd_write_all(fd, line.data, line.length);
}

/* Not of a forked child, whose copy of the buffer nobody writes. What has no room is written at once. */
static bool hold_warning(const char *message)
{
	size_t length = sink.held.length;

	if (!sink.holds_warnings || getpid() != sink.opened_by)
		return false;
	sink.held.limit = HELD_LIMIT;
	compose_json(&sink.held, LOG_LEVEL_WARNING, message);
	if (!sink.held.failed)
		return true;
	sink.held.length = length;
	sink.held.failed = 0;
	return false;
}

static void emit(enum log_level level, const char *message)
{
	bool json = sink.format == LOG_FORMAT_JSON;

	if (sink.file_fd < 0) {
		write_line(STDERR_FILENO, level, message, json ? compose_json : compose_stderr_text);
		return;
	}
	if (level == LOG_LEVEL_WARNING && hold_warning(message))
		return;
	write_line(sink.file_fd, level, message, json ? compose_json : compose_file_text);
	if (level != LOG_LEVEL_ERROR)
		return;
	buffer_done(&sink.held);
	write_line(STDERR_FILENO, level, message, compose_stderr_text);
}

/* errno stays: a warning on the way of an error must not change what the error says. */
static __attribute__((format(printf, 2, 0))) void emit_format(enum log_level level, const char *format, va_list args)
{
	char message[MESSAGE_MAX];
	int saved_errno = errno;

	vsnprintf(message, sizeof(message), format, args);
	emit(level, message);
	errno = saved_errno;
}

#define DEFINE_LOG(name, level_)                   \
	void name(const char *format, ...)         \
	{                                          \
		va_list args;                      \
                                                   \
		if (!log_enabled(level_))          \
			return;                    \
		va_start(args, format);            \
		emit_format(level_, format, args); \
		va_end(args);                      \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
