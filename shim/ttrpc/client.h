/* A ttrpc client, for publishing events and for tests. Calls run side by side; each ends with one callback. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/request.h"
#include "shim/ttrpc/response.h"

struct client;

/* A member of its owner; has to stay until `done` was called or the client is freed. */
struct client_call {
	/* response: what the peer said, whatever its code, good during the call; NULL: there was no answer, err says why
	 * (ERROR_TIMEOUT, or ERROR_SYSTEM for a connection that ended). */
	void (*done)(void *context, const struct response *response, const struct error *err);
	void *context;
	struct client *client; /* these belong to the client */
	struct client_call *next;
	struct loop_timer timer;
	uint32_t stream_id;
};

/* fd: a connected stream socket, taken over in case of success and made non-blocking. */
int client_new(struct loop *loop, int fd, struct client **ret, struct error *err);
/* As client_new with the socket at path. Does not block: -EAGAIN where the server does not accept. */
int client_connect(struct loop *loop, const char *path, struct client **ret, struct error *err);
/* Open calls end without a callback. Not from within one. */
void client_free(struct client *client);
DEFINE_CLEANUP(struct client *, client_free);
/* False once the connection ended: no further call can be made. */
bool client_is_connected(const struct client *client);
/* Sends request. Where request->timeout is given, the call ends then, whatever the peer does. Returns 0, or a negative errno with
 * err set: `done` is not called then. */
int client_send(struct client *client, struct client_call *call, const struct request *request, struct error *err);
