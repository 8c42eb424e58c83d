/* The audit trail: one line of JSON for each event, in a file that its owner alone can reach. Writers from any number of processes
 * take turns by a lock on the file's directory. See docs/audit.md. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/audit_record.h"
#include "base/error.h"

#define AUDIT_PATH_DEFAULT "/var/log/brig/audit.jsonl"
#define AUDIT_BYTES_DEFAULT (UINT64_C(10) * 1024 * 1024)
#define AUDIT_BYTES_MIN ((uint64_t)AUDIT_LINE_MAX)
#define AUDIT_KEEP_DEFAULT 5u
#define AUDIT_KEEP_MAX 100u

/* Kept between lines that follow each other, so that a trail is opened once for all of them. Not locked meanwhile: somebody else's
 * lines may come in between, and a file that is no longer the trail's is noticed. */
struct audit_kept {
	char *path; /* of the trail; NULL: nothing is kept */
	int dir_fd, fd;
	uint64_t size;		/* as our last line left it */
	uint64_t device, inode; /* of the file */
};
#define AUDIT_KEPT_INIT ((struct audit_kept){ .dir_fd = -EBADF, .fd = -EBADF })
/* Closes and frees what is kept: the next line opens the trail anew. To be called twice is fine. */
void audit_kept_done(struct audit_kept *kept);

struct audit_target {
	const char *path;	 /* absolute; NULL: nothing is written. Its directory: 0700, made where it is missing */
	uint64_t max_bytes;	 /* then the file becomes PATH.1, that PATH.2 ...; at least AUDIT_BYTES_MIN */
	unsigned keep;		 /* of those: 1 to AUDIT_KEEP_MAX */
	bool syslog;		 /* to /dev/log as well, if there is room: who does not read there holds nobody up */
	bool journald;		 /* the same to journald, whole and with fields */
	struct audit_kept *kept; /* or NULL: the trail is opened for each line */
	bool required;		 /* what can't be recorded is not to happen: for the caller to heed */
};

/* Appends the record by one write(2): afterwards the line is there as a whole, also where this process is killed at once; on failure,
 * and where it is killed before, none of it is (what half a write leaves, the next writer takes away). Lines are in the order of
 * their times. A policy other than that of the last record with the same source has a line of its own before. A line that does not
 * get to syslog or journald is a warning.
 * Returns 0, or a negative errno with err set: ERROR_REFUSED (others could read or write it), ERROR_TIMEOUT (locked for two seconds),
 * ERROR_SYSTEM (ENOSPC...). */
int audit_write(const struct audit_target *target, const struct audit_record *record, struct error *err);
