/* The request of base/unit_request.h, taken apart. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/unit_request.h"

enum request_verb { REQUEST_START, REQUEST_SET, REQUEST_STOP };

struct request_property {
	const char *signature, *name, *value;
};

struct request {
	enum request_verb verb;
	bool user;	     /* the bus of a user's session */
	uint64_t timeout_us; /* for all of it */
	const char *unit, *slice, *description;
	struct request_property properties[UNIT_REQUEST_LINES_MAX];
	size_t n_properties;
};

/* text: NUL-terminated, at most UNIT_REQUEST_MAX bytes; it is written to, and the request points into it. Errors: ERROR_INVALID. */
int request_parse(char *text, struct request *ret, struct error *err);
