/* The status codes of gRPC, which ttrpc answers with, and what becomes of our errors in them. */
#pragma once

#include "base/error.h"

/* containerd acts on some of them: NotFound and AlreadyExists on delete and create, Unimplemented for its fall-back from
 * task v3 to v2. */
enum status_code {
	STATUS_OK = 0,
	STATUS_UNKNOWN = 2,
	STATUS_INVALID_ARGUMENT = 3,
	STATUS_DEADLINE_EXCEEDED = 4,
	STATUS_NOT_FOUND = 5,
	STATUS_ALREADY_EXISTS = 6,
	STATUS_PERMISSION_DENIED = 7,
	STATUS_RESOURCE_EXHAUSTED = 8,
	STATUS_FAILED_PRECONDITION = 9,
	STATUS_UNIMPLEMENTED = 12,
	STATUS_INTERNAL = 13,
	STATUS_UNAVAILABLE = 14,
};

/* By kind; but what is over a cap of ours is ResourceExhausted, whoever found it. Each kind has one code, so that a client may act on it. */
enum status_code status_from_error(const struct error *err);
