/* The audit trail read back: the rotated files and the current one, the oldest line first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct audit_entry_denied {
	const char *call; /* or NULL */
	uint64_t count;
};

struct audit_entry_report {
	const char *rule, *level; /* or NULL */
};

/* What of a line there is to choose by and to show. Good during the call alone; "" where the line lacks it. */
struct audit_entry {
	const char *time, *event, *id, *exec_id, *pod, *namespace, *container, *image, *policy, *error;
	bool has_status;
	int64_t status;
	uint64_t oom_kills;
	const char *ended_by, *reason, *rule;
	uint64_t took_usec, denials, egress_denials; /* 0: not there */
	bool is_request_allowed;		     /* of the event egress */
	const struct audit_entry_denied *denied;
	size_t n_denied;
	const struct audit_entry_report *report;
	size_t n_report;
	const char *line; /* the JSON itself, without the newline */
	size_t length;
};

/* Up to where a trail was read: also good when its files were rotated since. All zeroes: not begun. */
#define AUDIT_POSITION_FILE 41
struct audit_position {
	char file[AUDIT_POSITION_FILE]; /* how it begins, with its first line's time: no two begin alike */
	uint64_t offset;		/* in bytes: of what comes next */
};

struct audit_reader {
	const char *path; /* of the current file */
	/* A negative errno ends the reading, with err set by the callee. */
	int (*take)(void *context, const struct audit_entry *entry, struct error *err);
	void *context;
	struct audit_position *position; /* only what comes after it, which then is where the reading ended; NULL: all */
	uint64_t n_broken;		 /* lines that are not brig's: counted and passed over */
};

/* A last line without its newline is one that is being written, or half a one: not read, and not counted as broken.
 * Where the file of the position is not there any more, all that are there came after it.
 * Returns 0, or a negative errno with err set: ERROR_NOT_FOUND (no trail there); position is then as it was. */
int audit_read(struct audit_reader *reader, struct error *err);
