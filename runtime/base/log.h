/* The log: text or JSON lines to stderr or a file, as the callers of an OCI runtime expect them. The only mutable
 * file-scope state of the runtime lives here. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_options {
	const char *path; /* --log; NULL: stderr only */
	enum log_format format;
	enum log_level level; /* messages above this are dropped; LOG_LEVEL_WARNING by default */
};

/* Opens the sink. With a path, warnings and debug lines go to the file only; errors go to the file and, as text, to stderr.
 * In a JSON file at LOG_LEVEL_WARNING or below, warnings are written by log_close, and not at all once there was an error:
 * podman reads such a file as one JSON value. Returns 0 or a negative errno with err set. */
int log_open(const struct log_options *options, struct error *err);
/* Writes what waits, and goes back to text on stderr. */
void log_close(void);
bool log_enabled(enum log_level level);
/* The descriptor of the log file, or -EBADF: for a child that closes everything else. */
int log_fd(void);

/* One line each; newlines and control characters inside are escaped. Debug lines carry the time since log_open in microseconds. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
