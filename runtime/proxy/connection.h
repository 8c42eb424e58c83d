/* One client of the egress proxy, from its first byte to its end: one request. A state machine; nothing here waits. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "proxy/flow.h"
#include "proxy/http_request.h"
#include "proxy/outcome.h"
#include "proxy/reach.h"

enum connection_state {
	CONNECTION_NONE,   /* its place is free */
	CONNECTION_HEAD,   /* the request comes */
	CONNECTION_REACH,  /* the server is looked for */
	CONNECTION_HELLO,  /* of CONNECT: the client is to say who it wants */
	CONNECTION_RELAY,  /* bytes go both ways */
	CONNECTION_ANSWER, /* it is told why not */
	CONNECTION_OVER,   /* to be reported */
	CONNECTION_N_STATES,
};

struct connection {
	enum connection_state state;
	int client_fd, server_fd;
	const struct reach_settings *settings;
	struct http_request request;
	struct reach reach;
	uint64_t body_left; /* bytes that the client may still send */
	uint64_t deadline;  /* milliseconds of CLOCK_MONOTONIC */
	enum outcome outcome;
	bool was_allowed;
	struct flow out, in; /* to the server, to the client */
};

/* Takes client_fd. */
void connection_begin(struct connection *connection, int client_fd, const struct reach_settings *settings, uint64_t now);
/* What it waits for; fd is -1 where there is nothing. */
void connection_poll(const struct connection *connection, struct pollfd polled[static 2]);
uint64_t connection_deadline(const struct connection *connection);
/* Goes as far as it can. */
void connection_go_on(struct connection *connection, uint64_t now);
/* Whatever state it is in: what there is to say about it. Its descriptors are closed, its place is free. */
void connection_end(struct connection *connection, struct outcome_report *ret);
