/* How a request to the egress proxy came out: what the client is told, and what the audit trail has. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proxy/allow_list.h"

enum outcome {
	OUTCOME_DONE,	    /* let through, to its end */
	OUTCOME_ENDED,	    /* let through, and cut: the sandbox ended */
	OUTCOME_IDLE,	    /* let through, and cut: nothing moved for too long */
	OUTCOME_MALFORMED,  /* no request that can be understood in one way only */
	OUTCOME_TOO_LARGE,  /* its head is too long */
	OUTCOME_NO_LENGTH,  /* a body whose length is not told beforehand */
	OUTCOME_SLOW,	    /* the head, or the hello of TLS, did not come in time */
	OUTCOME_NOT_LISTED, /* by name and port */
	OUTCOME_NOT_PUBLIC, /* the name leads to addresses that are not everybody's, and the list names no range for it */
	OUTCOME_SITE,	    /* the policy's own list has not the address */
	OUTCOME_NO_ADDRESS,  /* the resolver knows none, or does not answer */
	OUTCOME_UNREACHABLE, /* nobody answers at any of them */
	OUTCOME_SERVER_NAME, /* no hello of TLS, or one that asks for another server */
	OUTCOME_GONE,	     /* the client left before it was decided */
	OUTCOME_TOO_MANY,    /* requests of one sandbox: the proxy has closed */
	OUTCOME_N,
};

/* What goes to brig for each request, in one message. */
struct outcome_report {
	uint32_t outcome;
	uint16_t port;	     /* 0: not known */
	uint8_t is_connect;  /* else plain HTTP */
	uint8_t was_allowed; /* bytes could go either way */
	uint64_t bytes_out, bytes_in;
	char host[ALLOW_LIST_NAME_MAX + 1]; /* "": not known */
};

/* "not-listed" */
const char *outcome_name(enum outcome outcome);
/* The whole response for the client, which closes the connection; NULL: there is nothing to be said any more. */
const char *outcome_response(enum outcome outcome);
/* Is this a report that a proxy in its right mind sends? Its bytes come from a process that has read hostile ones. */
bool outcome_report_is_good(const struct outcome_report *report);
