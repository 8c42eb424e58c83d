/* What lies where bind mounts come from, found before planning: facts for the floor's rules. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "plan/plan.h"

struct host_source_request {
	const char *path; /* absolute; NULL: nothing is to be looked at */
	bool recursive;	  /* what is mounted below it counts, too */
};

/* ret: n of them, in the order of the requests; their strings are the arena's. Each is opened with O_PATH, without following magic
 * links of procfs, and closed again. Where that fails, or the host's mounts can't be read, ret[i].known is false, and
 * magic says whether it was such a link. Returns 0 or -ENOMEM
 * with err set.
 * Source: openat2(2), statx(2), proc_pid_mountinfo(5). */
int host_sources_look(const struct host_source_request *requests, size_t n, struct arena *arena,
		      struct host_source *ret, struct error *err);
