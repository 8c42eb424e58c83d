/* Standard streams whose far end is a connection to the shim's own socket, found by name (containerd's io_type = "streaming"), and
 * no fifo. The process has a pipe, as it would have the fifo: what it wrote stays in there while nobody is connected, and a peer that
 * does not read stops this stream alone. Everything but the wire is here. Source: shim contract, "Services on the one socket";
 * containerd's services/streaming and types/transfer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/io/endpoint.h"
#include "shim/io/uri.h"
#include "shim/loop/loop.h"

#define STREAMS_MAX 1024 /* names at a time */
#define STREAM_NAME_MAX 256
#define STREAM_WINDOW 32768U /* bytes of input that a peer may send ahead of the process */
#define STREAM_AHEAD_MAX \
	262144 /* bytes that are sent ahead of a peer, whatever it allows: containerd allows half of it */

struct streams;
struct stream;

/* The far end: a member of its owner, which keeps it until `end` or streams_leave. Callbacks come from within the functions below and
 * from the loop. */
struct stream_peer {
	/* It has joined: before anything else. */
	void (*joined)(struct stream_peer *peer);
	/* Output. A negative errno: nobody is there any more, and it has left with that. */
	int (*send)(struct stream_peer *peer, const void *bytes, size_t n);
	/* It may send so many bytes of input more. A negative errno: as above. */
	int (*grant)(struct stream_peer *peer, uint32_t n);
	/* It gets nothing more and has left: the output is over, the process's input is closed, or another one took the name over. */
	void (*end)(struct stream_peer *peer);
	struct stream *stream; /* belongs to streams; NULL: it has left, or not joined */
};

/* address: of the shim's socket, as in unix://ADDRESS; outlives the streams. */
int streams_new(struct loop *loop, const char *address, struct streams **ret, struct error *err);
/* No more callbacks. Before it, all that has opened one has to be freed. */
void streams_free(struct streams *streams);
DEFINE_CLEANUP(struct streams *, streams_free);

/* Takes the name over where another peer has it: a connection that broke is not always known to have broken. ERROR_INVALID,
 * ERROR_INTERNAL (STREAMS_MAX). */
int streams_join(struct streams *streams, const char *name, struct stream_peer *peer, struct error *err);
/* Nothing happens to one that has left. */
void streams_leave(struct stream_peer *peer);
/* n bytes more of output may be sent. These two: ERROR_INVALID for what a peer may not do, ERROR_STATE after it has left. */
int streams_allow(struct stream_peer *peer, int32_t n, struct error *err);
int streams_take(struct stream_peer *peer, const void *bytes, size_t n, struct error *err);
/* No more input comes. Of no meaning for output. */
void streams_take_end(struct stream_peer *peer);

enum stream_use { STREAM_UNUSED, STREAM_OUT, STREAM_IN };

struct stream_request {
	const struct uri *uri;
	const char *what; /* its name for messages: "stdin" */
	enum stream_use use;
};
/* For a process's io: the stream that uri names, as a pipe. Somebody has to have joined it (ERROR_NOT_FOUND), and no other process
 * has it (ERROR_EXISTS). ret_end: of output both ends, of input the reading one, for endpoint_done. */
int streams_open(struct streams *streams, const struct stream_request *request, struct stream **ret,
		 struct endpoint *ret_end, struct error *err);
/* The end of input, asked for by another way than the peer's connection: what it sent before may still be in that. */
void streams_close_in(struct stream *stream);
/* Output whose end has not been sent yet to the peer that is there. NULL is allowed. */
bool streams_is_unsent(const struct stream *stream);
/* The process is gone. Output that is left is still sent to a peer that is there. NULL is allowed. */
void streams_release(struct stream *stream);
