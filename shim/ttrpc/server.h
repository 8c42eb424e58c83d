/* A ttrpc server: a listening socket, its connections, and a table of methods. Handlers answer at once or at any later time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/message.h"
#include "shim/ttrpc/request.h"
#include "shim/ttrpc/response.h"

#define SERVER_CONNECTIONS_MAX 256 /* containerd has one for each stream of each process, where it has them at all */

struct server;

/* One call that waits for its answer. Plain data, to be kept anywhere: once the call is over, by an answer, its deadline or the
 * end of its connection, the functions below take it for what it is and return -ENOENT. */
struct server_call {
	uint32_t slot, generation; /* of the connection */
	uint32_t stream_id;
};

struct server_method {
	const char *service, *method;
	/* Has to see to it that the call is answered some time. request and its payload are good during the call. */
	void (*handle)(void *context, struct server_call call, const struct request *request);
	/* Of a method with a stream of data: one message more from the peer; with is_last none follows, and payload.data is
	 * NULL where there was none in that frame. NULL: no data is taken. */
	void (*data)(void *context, struct server_call call, struct message_bytes payload, bool is_last);
};

enum server_ended {
	SERVER_TIMED_OUT,    /* the peer's deadline passed; it was answered so */
	SERVER_DISCONNECTED, /* nobody is left to answer */
	SERVER_MISUSED,	     /* the peer broke the protocol on this stream; it was answered so */
};

struct server_options {
	struct loop *loop;
	const struct server_method *methods; /* kept; any order */
	size_t n_methods;
	void *context; /* of all the callbacks */
	/* NULL is allowed. A call is over without an answer of its handler's, which may forget it. */
	void (*ended)(void *context, struct server_call call, enum server_ended why);
	/* NULL is allowed. A peer has closed its connection: server_n_connections counts it no more. May not free the server. */
	void (*disconnected)(void *context);
};

/* listen_fd: of listener_open; taken over in case of success. Returns 0 or a negative errno with err set. */
int server_new(const struct server_options *options, int listen_fd, struct server **ret, struct error *err);
/* Closes everything, calling back for no call. Not from within one of its callbacks. */
void server_free(struct server *server);
DEFINE_CLEANUP(struct server *, server_free);
size_t server_n_connections(const struct server *server);
/* Is there a connection that was for a stream, has got all of it some seconds ago at most, and is still open? Its peer may not have
 * read the end; one that stays open longer, as containerd's do before 2.3, says nothing. */
bool server_has_reader(const struct server *server);

/* These end the call. All return 0; -ENOENT where it is over already; a negative errno where its connection is over now.
 * payload: a message as packed by message_pack. */
int server_answer(struct server *server, struct server_call call, struct message_bytes payload);
int server_answer_message(struct server *server, struct server_call call, const ProtobufCMessage *message);
/* The status is that of err (status_from_error). */
int server_refuse(struct server *server, struct server_call call, const struct error *err);
int server_refuse_with(struct server *server, struct server_call call, enum status_code code, const char *message);
/* One message more of a method with a stream; is_last ends the call, and with payload.data NULL carries no message. */
int server_send_data(struct server *server, struct server_call call, struct message_bytes payload, bool is_last);
