/* One non-blocking stream socket that carries ttrpc frames, as either end. It reads while there is room to answer, writes what
 * is queued, and never blocks. What frames mean is its owner's: a session of the server, or a client. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/frame.h"
#include "shim/ttrpc/message.h"

struct connection;

/* The callbacks may send; they may free the connection in `closed` alone. */
struct connection_owner {
	/* A frame came. body is good during the call. */
	void (*frame)(void *context, const struct frame_header *header, struct message_bytes body);
	/* One came that was refused by its header (err says why) and skipped. */
	void (*refused)(void *context, const struct frame_header *header, const struct error *why);
	/* The peer is gone, or was cut off for not fetching its answers. Comes once, as the last callback. */
	void (*closed)(void *context, const struct error *why);
};

struct connection_options {
	struct loop *loop;
	enum frame_sender peer; /* what the other end is */
	const struct connection_owner *owner;
	void *context; /* of the callbacks */
};

/* fd: a connected, non-blocking stream socket; taken over in case of success. Returns 0 or a negative errno with err set. */
int connection_new(const struct connection_options *options, int fd, struct connection **ret, struct error *err);
/* Closes without a callback. What is queued is lost. */
void connection_free(struct connection *connection);
DEFINE_CLEANUP(struct connection *, connection_free);

/* Queues a frame (header.length is filled in) and writes what the socket takes. Returns 0; -EMSGSIZE: body is larger than the
 * protocol allows, nothing happened; another negative errno: the connection is over, `closed` follows from the loop. */
int connection_send(struct connection *connection, struct frame_header header, struct message_bytes body);
