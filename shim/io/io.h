/* The standard streams of one process. Plain ones are opened for the process itself: it reads and writes containerd's fifos
 * with no copy in between, and what it wrote stays in them while containerd is away. A terminal, and output with a limit, go
 * through the shim by splice(2). Source: shim contract, "Streams". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"

struct io;
struct streams;

struct io_options {
	struct loop *loop;
	/* As containerd names them: "" (none: /dev/null), an absolute path of a fifo, fifo://PATH, file://PATH, ttrpc+unix://PATH?
	 * streaming_id=NAME, and for out and err binary://PROGRAM?KEY=VALUE. With a terminal everything is in `out`. */
	const char *in, *out, *err;
	struct streams *streams; /* for ttrpc+unix, outliving the io; NULL: there are none */
	bool terminal;
	const char *container_id, *namespace; /* for a binary logger's environment */
	/* May this program be a binary logger? Called in a process of its own. NULL: any. */
	int (*check_logger)(void *context, char *const *argv, struct error *err);
	uint64_t max_output; /* bytes of out, and of err; 0: without a bound */
	/* More than max_output, or io_limit's, came: once, the rest is dropped. NULL is allowed. */
	void (*overflowed)(void *context);
	void *context;
};

/* Opens what the process will need, before it is made. Never blocks. Strings are copied where they are kept. ERROR_NOT_FOUND (no such
 * fifo), ERROR_INVALID (a scheme or combination that does not exist), ERROR_SYSTEM. */
int io_open(const struct io_options *options, struct io **ret, struct error *err);
/* Closes everything; loggers see the end of their input. */
void io_free(struct io *io);
DEFINE_CLEANUP(struct io *, io_free);

/* In the forked worker: descriptors 0, 1 and 2 become the process's own open file descriptions (blocking; /dev/null with a
 * terminal). */
int io_enter(const struct io *io, struct error *err);
/* In the forked worker, where a limit that was not known to io_open turns up, with io_limit in the shim: descriptors 1 and 2 become
 * pipes, but for a stream that goes nowhere and with a terminal. ret_fds: their reading ends, or -EBADF. */
int io_bound(const struct io *io, int ret_fds[static 2], struct error *err);
/* In the shim, before io_begin. Takes fds (see io_bound), also on failure. */
int io_limit(struct io *io, uint64_t max_output, const int fds[static 2], struct error *err);
/* The worker's end of the socket over which a terminal's master comes; -EBADF without a terminal. Stays io's. */
int io_console_fd(const struct io *io);
/* In the shim, once the worker has succeeded: takes the terminal's master, begins to copy, and closes what was the worker's
 * alone. */
int io_begin(struct io *io, struct error *err);
/* ERROR_STATE without a terminal. */
int io_resize(struct io *io, uint32_t width, uint32_t height, struct error *err);
/* The end of the process's input, once what was written before is read. */
void io_close_in(struct io *io);
/* Is there output that has not left us, or that nobody has read from its fifo yet? */
bool io_has_unread(const struct io *io);
/* The same, and somebody has that fifo open for reading. */
bool io_is_being_read(struct io *io);
/* The process has ended: `finished` is called, once, when all that it wrote has left the shim or timeout (nanoseconds) passed; maybe
 * at once, from within. Plain streams have nothing to wait for. */
void io_finish(struct io *io, uint64_t timeout, void (*finished)(void *context), void *context);
