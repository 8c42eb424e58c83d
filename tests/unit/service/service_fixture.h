/* The service in the test's own process, on a socket in a scratch folder, and clients of it in the same loop. */
#pragma once

#include "shim/loop/loop.h"
#include "shim/service/service.h"
#include "shim/ttrpc/client.h"
#include "tests/support/scratch.h"
#include "tests/unit/service/fake_tasks.h"

#define TASK_V2 "containerd.task.v2.Task"
#define TASK_V3 "containerd.task.v3.Task"
#define SANDBOX "containerd.runtime.sandbox.v1.Sandbox"

struct service_fixture {
	struct scratch scratch;
	char path[192], bundle[192];
	struct loop *loop;
	struct service *service;
	struct client *client;
};

/* A call and what came of it. */
struct service_answer {
	struct client_call call;
	bool is_done;
	enum status_code code; /* STATUS_UNAVAILABLE: the connection ended */
	char message[1024];
	uint8_t payload[65536];
	size_t length;
};

void service_fixture_init(struct service_fixture *fixture);
void service_fixture_done(struct service_fixture *fixture);
/* The first Create, so that there are tasks to ask about. */
void service_fixture_create(struct service_fixture *fixture);
/* One more client. */
struct client *service_fixture_connect(struct service_fixture *fixture);
/* Turns the loop until nothing happens any more. */
void service_fixture_settle(struct service_fixture *fixture);

struct service_question {
	const char *service, *method;
	const void *message; /* a protobuf-c message; NULL: raw */
	struct message_bytes raw;
	int64_t timeout; /* nanoseconds; 0: none */
};
void service_fixture_send(struct client *client, struct service_answer *answer, struct service_question question);
/* Turns the loop until the answer is there (five seconds at most: the test fails then). */
void service_fixture_wait(struct service_fixture *fixture, struct service_answer *answer);
/* Asks the v2 service and waits; the answer is good until the next call of this function. */
const struct service_answer *service_fixture_ask(struct service_fixture *fixture, const char *method,
						 const void *message);
/* The same, and expects that code and, in the message, reason (or NULL). */
void service_fixture_expect(struct service_fixture *fixture, const char *method, const void *message,
			    enum status_code code, const char *reason);
/* Unpacks the payload with this descriptor: to be freed with protobuf_c_message_free_unpacked. */
void *service_fixture_unpack(const struct service_answer *answer, const ProtobufCMessageDescriptor *type);
