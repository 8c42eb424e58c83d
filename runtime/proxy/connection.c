#include "proxy/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "proxy/client_hello.h"

/* Milliseconds. A client has no more time than that for its request and its hello: it holds one of SERVE_CLIENTS_MAX places
 * meanwhile. */
#define HEAD_MS 15000
#define HELLO_MS 15000
#define IDLE_MS 120000
#define LEAVE_MS 5000 /* of a client that has been told all */

static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";

void connection_begin(struct connection *connection, int client_fd, const struct reach_settings *settings, uint64_t now)
{
	connection->state = CONNECTION_HEAD;
	connection->client_fd = client_fd;
	connection->server_fd = -EBADF;
	connection->settings = settings;
	connection->request = (struct http_request){ 0 };
	connection->reach = (struct reach){ .settings = settings, .fd = -EBADF };
	connection->body_left = 0;
	connection->deadline = now + HEAD_MS;
	connection->outcome = OUTCOME_GONE;
	connection->was_allowed = false;
	for (int i = 0; i < 2; i++) {
		struct flow *flow = i == 0 ? &connection->out : &connection->in;

		flow->begin = flow->end = 0;
		flow->bytes = 0;
		flow->is_at_end = flow->is_shut = false;
	}
}

/* The outcome is what the trail says of it; of two the first counts, since nothing is done in this state any more. */
static void over(struct connection *connection, enum outcome outcome)
{
	connection->outcome = outcome;
	connection->state = CONNECTION_OVER;
}

static void say(struct connection *connection, const char *text)
{
	connection->in.begin = 0;
	connection->in.end = strlen(text);
	memcpy(connection->in.data, text, connection->in.end);
}

static void refuse(struct connection *connection, enum outcome outcome, uint64_t now)
{
	const char *response = outcome_response(outcome);

	over(connection, outcome);
	if (!response)
		return;
	say(connection, response);
	connection->state = CONNECTION_ANSWER;
	connection->deadline = now + LEAVE_MS;
}

/* ---- the request ---- */

/* What the server gets first: the head as it is to have it, and what has come of the body. */
static bool put_head(struct connection *connection, size_t head_length)
{
	struct buffer head __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	struct flow *out = &connection->out;
	size_t left = out->end - head_length;

	if (left > connection->request.body)
		left = (size_t)connection->request.body;
	http_request_write(&connection->request, out->data, &head);
	if (head.failed || head.length + left > FLOW_SIZE)
		return false;
	memmove(out->data + head.length, out->data + head_length, left);
	memcpy(out->data, head.data, head.length);
	out->end = head.length + left;
	connection->body_left = connection->request.body - left;
	return true;
}

static void take_reach(struct connection *connection, int rc, uint64_t now);

/* The list first, the resolver after it: a name that is not on the list is never looked up, or a program could tell somebody
 * things by the names that it asks for. */
static void decide(struct connection *connection, size_t head_length, uint64_t now)
{
	struct http_request *request = &connection->request;
	struct reach *reach = &connection->reach;

	reach->entry = allow_list_find(connection->settings->list, request->host, request->port,
				       request->is_connect ? HTTPS_PORT : HTTP_PORT);
	if (!reach->entry) {
		refuse(connection, OUTCOME_NOT_LISTED, now);
		return;
	}
	if (request->is_connect) {
		connection->out.begin = head_length;
		connection->body_left = UINT64_MAX;
	} else if (!put_head(connection, head_length)) {
		refuse(connection, OUTCOME_TOO_LARGE, now);
		return;
	}
	reach->name = request->host;
	reach->port = request->port;
	connection->state = CONNECTION_REACH;
	take_reach(connection, reach_begin(reach, now), now);
}

static void read_head(struct connection *connection, uint64_t now)
{
	struct flow *out = &connection->out;
	enum outcome why;
	int rc = flow_read(out, connection->client_fd, HTTP_HEAD_MAX);

	if (rc < 0 || out->is_at_end) {
		over(connection, OUTCOME_GONE);
		return;
	}
	rc = http_request_parse(out->data, out->end, &connection->request, &why);
	if (rc < 0)
		refuse(connection, why, now);
	else if (rc > 0)
		decide(connection, (size_t)rc, now);
	else if (now >= connection->deadline)
		refuse(connection, OUTCOME_SLOW, now);
}

/* ---- the server ---- */

static void take_reach(struct connection *connection, int rc, uint64_t now)
{
	if (rc < 0)
		refuse(connection, connection->reach.outcome, now);
	if (rc <= 0)
		return;
	connection->server_fd = steal_fd(&connection->reach.fd);
	connection->deadline = now + HELLO_MS;
	connection->was_allowed = !connection->request.is_connect;
	connection->state = connection->request.is_connect ? CONNECTION_HELLO : CONNECTION_RELAY;
	if (connection->request.is_connect)
		say(connection, established);
}

static void go_on_reaching(struct connection *connection, uint64_t now)
{
	take_reach(connection, reach_go_on(&connection->reach, now), now);
}

/* Nothing of the client's has gone to the server before this says so. */
static void read_hello(struct connection *connection, uint64_t now)
{
	struct flow *out = &connection->out;
	char name[CLIENT_HELLO_NAME_MAX + 1], wanted[ALLOW_LIST_NAME_MAX + 1];
	int rc = flow_write(&connection->in, connection->client_fd);

	if (rc >= 0)
		rc = flow_read(out, connection->client_fd, CLIENT_HELLO_MAX);
	if (rc < 0) {
		over(connection, OUTCOME_GONE);
		return;
	}
	rc = client_hello_name(out->data + out->begin, out->end - out->begin, name);
	if (rc == 1 &&
	    (allow_list_normalise(name, strlen(name), wanted) < 0 || strcmp(wanted, connection->request.host) != 0))
		rc = -EINVAL;
	if (rc < 0) {
		over(connection, OUTCOME_SERVER_NAME);
	} else if (rc == 1) {
		connection->in.bytes = 0;
		connection->was_allowed = true;
		connection->deadline = now + IDLE_MS;
		connection->state = CONNECTION_RELAY;
	} else if (out->is_at_end || now >= connection->deadline) {
		over(connection, out->is_at_end ? OUTCOME_GONE : OUTCOME_SLOW);
	}
}

/* ---- both ways ---- */

/* No more than there is room for: what is not read stays in the kernel's buffers, and holds up its sender (TCP's window). */
static bool may_read(const struct connection *connection, const struct flow *flow)
{
	if (flow->is_at_end || flow->end - flow->begin >= FLOW_SIZE)
		return false;
	return flow == &connection->in || connection->body_left > 0;
}

/* 1: something moved. */
static int move(struct connection *connection, struct flow *flow, int from_fd, int to_fd)
{
	size_t held = flow->end - flow->begin, most = FLOW_SIZE;
	int rc = 0, written;

	if (flow == &connection->out && connection->body_left < FLOW_SIZE - held)
		most = held + (size_t)connection->body_left;
	if (may_read(connection, flow))
		rc = flow_read(flow, from_fd, most);
	if (rc < 0)
		return rc;
	if (flow == &connection->out && connection->body_left != UINT64_MAX)
		connection->body_left -= flow->end - flow->begin - held;
	written = flow_write(flow, to_fd);
	if (written < 0)
		return written;
	if (flow->is_at_end && !flow_holds(flow) && !flow->is_shut) {
		shutdown(to_fd, SHUT_WR);
		flow->is_shut = true;
	}
	return rc | written;
}

static void relay(struct connection *connection, uint64_t now)
{
	bool was_shut = connection->in.is_shut;
	int out = move(connection, &connection->out, connection->client_fd, connection->server_fd);
	int in = out < 0 ? out : move(connection, &connection->in, connection->server_fd, connection->client_fd);

	/* One side has hung up: that is how many connections end. */
	if (out < 0 || in < 0) {
		over(connection, OUTCOME_DONE);
		return;
	}
	if (out > 0 || in > 0 || connection->in.is_shut != was_shut)
		connection->deadline = now + (connection->in.is_shut ? LEAVE_MS : IDLE_MS);
	if (connection->in.is_shut && (connection->out.is_shut || !connection->request.is_connect))
		over(connection, OUTCOME_DONE);
	else if (now >= connection->deadline)
		over(connection, connection->in.is_shut ? OUTCOME_DONE : OUTCOME_IDLE);
}

/* A close before the client has sent all would make its kernel forget the answer. */
static void answer(struct connection *connection, uint64_t now)
{
	struct flow *in = &connection->in, *out = &connection->out;
	int rc = flow_write(in, connection->client_fd);

	if (rc >= 0 && !flow_holds(in) && !in->is_shut) {
		shutdown(connection->client_fd, SHUT_WR);
		in->is_shut = true;
	}
	out->begin = out->end = 0;
	if (rc >= 0)
		rc = flow_read(out, connection->client_fd, FLOW_SIZE);
	if (rc < 0 || (out->is_at_end && in->is_shut) || now >= connection->deadline)
		over(connection, connection->outcome);
}

/* ---- from outside ---- */

void connection_poll(const struct connection *connection, struct pollfd polled[static 2])
{
	const struct flow *out = &connection->out, *in = &connection->in;
	short client = 0, server = 0;

	switch (connection->state) {
	case CONNECTION_HEAD:
		client = POLLIN;
		break;
	case CONNECTION_REACH:
		server = reach_events(&connection->reach);
		break;
	case CONNECTION_HELLO:
	case CONNECTION_ANSWER:
		client = (short)((out->is_at_end ? 0 : POLLIN) | (flow_holds(in) ? POLLOUT : 0));
		break;
	case CONNECTION_RELAY:
		client = (short)((may_read(connection, out) ? POLLIN : 0) | (flow_holds(in) ? POLLOUT : 0));
		server = (short)((may_read(connection, in) ? POLLIN : 0) | (flow_holds(out) ? POLLOUT : 0));
		break;
	case CONNECTION_NONE:
	case CONNECTION_OVER:
	case CONNECTION_N_STATES:
		break;
	}
	/* Without events it would still wake us for a hang-up, again and again. */
	polled[0] = (struct pollfd){ .fd = client ? connection->client_fd : -1, .events = client };
	polled[1] = (struct pollfd){ .fd = server ? connection->server_fd : -1, .events = server };
	if (connection->state == CONNECTION_REACH)
		polled[1].fd = connection->reach.fd;
}

uint64_t connection_deadline(const struct connection *connection)
{
	return connection->state == CONNECTION_REACH ? connection->reach.deadline : connection->deadline;
}

/* Until a state waits for something: what one state has read may be all that the next one needs, and then poll(2) would have
 * nothing to tell. */
void connection_go_on(struct connection *connection, uint64_t now)
{
	static void (*const steps[CONNECTION_N_STATES])(struct connection *, uint64_t) = {
		[CONNECTION_HEAD] = read_head, [CONNECTION_REACH] = go_on_reaching, [CONNECTION_HELLO] = read_hello,
		[CONNECTION_RELAY] = relay,    [CONNECTION_ANSWER] = answer,
	};
	enum connection_state before;

	do {
		before = connection->state;
		if (steps[before])
			steps[before](connection, now);
	} while (connection->state != before);
}

void connection_end(struct connection *connection, struct outcome_report *ret)
{
	/* Cut short by us. */
	if (connection->state != CONNECTION_OVER && connection->was_allowed)
		connection->outcome = OUTCOME_ENDED;
	*ret = (struct outcome_report){
		.outcome = connection->outcome,
		.port = connection->request.host[0] ? connection->request.port : 0,
		.is_connect = connection->request.is_connect,
		.was_allowed = connection->was_allowed,
		.bytes_out = connection->was_allowed ? connection->out.bytes : 0,
		.bytes_in = connection->was_allowed ? connection->in.bytes : 0,
	};
	memcpy(ret->host, connection->request.host, sizeof(ret->host));
	close_and_reset(&connection->client_fd);
	close_and_reset(&connection->server_fd);
	close_and_reset(&connection->reach.fd);
	connection->state = CONNECTION_NONE;
}
