/* A server's end of one connection: requests in, answers out, deadlines. Internal to the server. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "shim/ttrpc/calls.h"
#include "shim/ttrpc/connection.h"
#include "shim/ttrpc/server.h"

struct session {
	const struct server_options *options;
	uint32_t slot, generation;
	struct connection *connection; /* NULL: the slot is free */
	struct loop_timer timer;       /* of the earliest deadline */
	uint32_t last_stream_id;
	uint64_t stream_ended; /* when, by a last message of data: loop_now; 0: none was */
	struct calls calls;
};

/* session: its slot, generation and options are set. fd is taken over in case of success. */
int session_open(struct session *session, int fd, struct error *err);
/* The slot is free afterwards and its calls void. Nobody is told. */
void session_close(struct session *session);
/* Answers an open call and ends it. Returns as server_answer. */
int session_answer(struct session *session, uint32_t stream_id, const struct response *response);
/* As server_send_data. */
int session_send_data(struct session *session, uint32_t stream_id, struct message_bytes payload, bool is_last);
