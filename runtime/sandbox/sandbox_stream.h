/* The program's standard streams: pipes whose other ends are ours. Output is taken as fast as the pipe gives it, up to a bound, and
 * kept, or passed on without a copy where the kernel can (splice(2)); input is passed in. Nothing here waits: the caller polls. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sandbox/sandbox.h"

struct sandbox_stream {
	int fd;	     /* our end of the pipe; -EBADF: over */
	int peer_fd; /* where it goes, or comes from; -EBADF: it is kept. The caller's */
	bool is_input;
	bool peer_is_due;	       /* to be polled: the peer, since the pipe is ready */
	bool copies;		       /* the kernel can't splice these two */
	bool is_large;		       /* the pipe has been made so */
	uint64_t limit;		       /* of bytes; output alone */
	struct sandbox_output *output; /* output alone */
	int failure;		       /* errno of passing output on, other than that its reader is gone; 0: none */
};

/* Makes the pipe. The other end, for the program, is *ret_fd. */
int sandbox_stream_open(struct sandbox_stream *stream, int *ret_fd, struct error *err);
void sandbox_stream_close(struct sandbox_stream *stream);
/* What to poll for. */
struct pollfd sandbox_stream_poll(const struct sandbox_stream *stream);
/* It is ready. */
void sandbox_stream_serve(struct sandbox_stream *stream);
/* All processes are gone: what is left in the pipe. True: whom it is passed on to takes no more for now (poll peer_fd for POLLOUT and come
 * again). Closed otherwise. */
bool sandbox_stream_drain(struct sandbox_stream *stream);
