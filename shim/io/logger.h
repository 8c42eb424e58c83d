/* A binary:// logger: a program of the host's that reads a container's outputs from descriptors 3 and 4, and closes descriptor 5
 * when it is ready. Source: containerd's documentation of binary loggers. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/io/endpoint.h"
#include "shim/io/uri.h"

#define LOGGER_ARGUMENTS_MAX 128

struct logger {
	struct endpoint out,
		err; /* pipes: the logger reads, the container writes; the read ends kept here are non-blocking */
	int ready_fd, pidfd;
	pid_t pid; /* of it, and of its process group */
	char *path;
};
#define LOGGER_NONE ((struct logger){ .out = ENDPOINT_NONE, .err = ENDPOINT_NONE, .ready_fd = -EBADF, .pidfd = -EBADF })

struct logger_options {
	struct uri *uri; /* its query is taken apart */
	const char *container_id, *namespace;
	/* In the new process: may that program be run, with these arguments? NULL: any. 0, or a negative errno with err set. */
	int (*check)(void *context, char *const *argv, struct error *err);
	void *context;
};

/* Starts it: a regular file, root's (or ours), that nobody else may write. Its arguments are the query's keys and values one after the
 * other; its environment is CONTAINER_ID and CONTAINER_NAMESPACE alone. Does not wait for it: that it must not be run or can't be is what
 * logger_wait_ready says. */
int logger_start(const struct logger_options *options, struct logger *ret, struct error *err);
/* Waits until it is ready, timeout milliseconds at most: ERROR_TIMEOUT. It has ended or can't be executed: ERROR_PROGRAM; what the
 * check said. */
int logger_wait_ready(const struct logger *logger, int timeout, struct error *err);
/* For one that is of no use any more: with what it started, as far as that is in its process group. */
void logger_kill(struct logger *logger);
void logger_done(struct logger *logger);
static inline void logger_done_cleanup(struct logger *logger)
{
	logger_done(logger);
}
