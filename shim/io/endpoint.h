/* Where a stream leads on containerd's side, held open by the shim. Everything is opened by descriptor: what was checked is what is
 * used. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/io/uri.h"

struct endpoint {
	/* Of a fifo, both non-blocking: with a read end of our own a writer never gets SIGPIPE, and what was written stays while
	 * nobody reads; with a write end of our own a reader never sees an end of input before we close it. */
	int read_fd, write_fd;
	bool is_fifo; /* or a pipe that somebody else reads or writes: see streams.h */
};
#define ENDPOINT_NONE ((struct endpoint){ .read_fd = -EBADF, .write_fd = -EBADF })

/* A fifo has to be there; a file is made (0640), with its directories (0711). URI_NONE gives ENDPOINT_NONE. Never blocks.
 * ERROR_NOT_FOUND, ERROR_INVALID (a link, something else than it should be), ERROR_SYSTEM. */
int endpoint_open(const struct uri *uri, const char *what, struct endpoint *ret, struct error *err);
void endpoint_done(struct endpoint *endpoint);
static inline void endpoint_done_cleanup(struct endpoint *endpoint)
{
	endpoint_done(endpoint);
}

/* A pipe of our own, both ends non-blocking: others get them by endpoint_reopen. */
int endpoint_pipe(struct endpoint *ret, struct error *err);
/* How many bytes are in the pipe or fifo that nobody has read yet; 0 for anything else. */
uint64_t endpoint_unread(int fd);

/* Whether somebody else has the fifo open for reading. Our own end is closed for that moment: who writes just then, with nobody to read it, gets
 * SIGPIPE. */
bool endpoint_has_reader(struct endpoint *fifo);

/* An open file description of its own for what fd refers to (-EBADF: /dev/null), blocking, appending where fd does, close-on-exec,
 * at 3 or above. mode: O_RDONLY or O_WRONLY. Does not wait for the other side of a fifo: somebody has to hold it open. Returns a
 * descriptor or a negative errno. */
int endpoint_reopen(int fd, int mode);
