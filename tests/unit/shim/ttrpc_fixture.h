/* A ttrpc server in the test's own process and thread, and a raw peer that can send it anything. */
#pragma once

#include "shim/loop/loop.h"
#include "shim/ttrpc/frame.h"
#include "shim/ttrpc/server.h"
#include "tests/support/scratch.h"

#define TTRPC_FIXTURE_KEPT_MAX 2048

struct ttrpc_fixture {
	struct scratch scratch;
	char path[192];
	struct loop *loop;
	struct server *server;
	struct server_call kept[TTRPC_FIXTURE_KEPT_MAX]; /* by "test/Keep" */
	size_t n_kept;
	unsigned n_ended[3]; /* enum server_ended */
	uint64_t sum;	     /* of the bytes that came by "test/Sum" */
};

/* Serves: test/Echo (answers with the payload), test/Keep (no answer), test/Fail (NotFound), test/Sum (takes data, answers with
 * how many bytes came once the last has come). */
void ttrpc_fixture_init(struct ttrpc_fixture *fixture);
void ttrpc_fixture_done(struct ttrpc_fixture *fixture);
/* Lets the server work until it has nothing to do. */
void ttrpc_fixture_settle(struct ttrpc_fixture *fixture);

/* One frame as the peer gets it. */
struct ttrpc_answer {
	struct frame_header header;
	char *body; /* to be freed */
	enum status_code code;
	char message[256];
	size_t payload_length;
};

/* A connected, non-blocking socket. */
int ttrpc_fixture_connect(const struct ttrpc_fixture *fixture);
/* Sends all of data, letting the server work meanwhile. Returns false where the server has ended the connection. */
bool ttrpc_fixture_send(struct ttrpc_fixture *fixture, int fd, const void *data, size_t length);
/* A frame with body; its length is filled in. */
bool ttrpc_fixture_send_frame(struct ttrpc_fixture *fixture, int fd, struct frame_header header, const void *body,
			      size_t length);
/* A request for service "test". */
bool ttrpc_fixture_ask(struct ttrpc_fixture *fixture, int fd, uint32_t stream_id, const struct request *request);
/* Waits for a frame, five seconds at most (then the test fails); a response is unpacked. Returns false at the end of the stream. */
bool ttrpc_fixture_receive(struct ttrpc_fixture *fixture, int fd, struct ttrpc_answer *ret);
/* Receives one response, of that stream, and expects that code. */
void ttrpc_fixture_expect(struct ttrpc_fixture *fixture, int fd, uint32_t stream_id, enum status_code code);
