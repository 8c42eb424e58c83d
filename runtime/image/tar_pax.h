/* The records of a pax extended header: "LENGTH KEY=VALUE\n". Pure. */
#pragma once

#include "base/error.h"
#include "base/json.h"

/* What they say instead of the header. Texts point into the records. */
struct tar_pax {
	const char *path, *linkpath; /* or NULL */
	struct opt_u64 size;
	struct opt_u32 uid, gid;
	struct opt_i64 mtime; /* seconds */
};

/* text: length bytes, changed on the way. Keys that say nothing about name, size, owner and time are skipped (extended attributes
 * among them). -EBADMSG (ERROR_REFUSED): malformed records, sparse files. */
int tar_pax_decode(char *text, size_t length, struct tar_pax *ret, struct error *err);
