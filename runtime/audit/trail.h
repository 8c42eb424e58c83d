/* The file of an audit trail: who may reach it, whose turn it is, and how it grows. Internal to audit/. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "audit/audit.h"
#include "base/buffer.h"
#include "base/error.h"

struct trail {
	const struct audit_target *target;
	char name[NAME_MAX + 1]; /* in its directory */
	int dir_fd;		 /* locked */
	int fd;
	uint64_t size;
	uint64_t device, inode; /* of the file */
};

#define TRAIL_NAME_MAX 200u /* leaves room for suffixes */

/* path's directory with a slash, and its name. -EINVAL with err set where path is not absolute. */
int trail_split(const char *path, char directory[static PATH_MAX], char name[static NAME_MAX + 1], struct error *err);
/* Opens the directory (made where `make` says so) and locks it, shared or not. -ENOENT where it is missing. A descriptor. */
int trail_open_directory(const char *path, bool make, bool shared, struct error *err);
/* Opens, checks and mends the file, which is made where it is missing, or takes what the target keeps. ret is for trail_done, which
 * lets the next one in. */
int trail_open(const struct audit_target *target, struct trail *ret, struct error *err);
/* One write(2); all of line or nothing. */
int trail_append(struct trail *trail, const struct buffer *line, struct error *err);
void trail_done(struct trail *trail);
/* The file name in dir_fd; -ENOENT without err where there is none. Refuses what does not belong to us alone. ret_size: in bytes;
 * NULL is allowed. */
int trail_open_file(int dir_fd, const char *name, int flags, uint64_t *ret_size, struct error *err);
