/* What was refused, read back: the document of audit/denials.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

struct denial_call {
	uint32_t architecture, number;
	const char *const *arguments; /* six: "0x..." */
	size_t n_arguments;
	const uint32_t *decisive; /* indexes of those that count */
	size_t n_decisive;
	const char *const *programs;
	size_t n_programs;
	uint64_t count;
	const char *first, *last; /* RFC 3339 */
};

struct denial_document {
	const char *state; /* "listening", "ended", "flood", "failed" */
	uint64_t total, others;
	const struct denial_call *calls;
	size_t n_calls;
	bool has_execs; /* some of it is of execs with a count of their own */
};

extern const struct json_type denial_document_pointer; /* struct denial_document * */

/* Of a state directory: of the container and of the execs that a brig stayed with. Zeroes where nothing was refused (yet). */
int denial_document_read(int dir_fd, struct arena *arena, struct denial_document *ret, struct error *err);
