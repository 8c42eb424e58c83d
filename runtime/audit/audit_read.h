/* The audit trail read back: the rotated files and the current one, the oldest line first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What of a line there is to choose by and to show. Good during the call alone; "" where the line lacks it. */
struct audit_entry {
	const char *time, *event, *id, *exec_id, *pod, *namespace, *container, *image, *policy, *error;
	bool has_status;
	int64_t status;
	uint64_t oom_kills;
	const char *line; /* the JSON itself, without the newline */
	size_t length;
};

struct audit_reader {
	const char *path; /* of the current file */
	/* A negative errno ends the reading, with err set by the callee. */
	int (*take)(void *context, const struct audit_entry *entry, struct error *err);
	void *context;
	uint64_t n_broken; /* lines that are not brig's: counted and passed over */
};

/* A last line without its newline is one that is being written, or half a one: not read, and not counted as broken.
 * Returns 0, or a negative errno with err set: ERROR_NOT_FOUND (no trail there). */
int audit_read(struct audit_reader *reader, struct error *err);
