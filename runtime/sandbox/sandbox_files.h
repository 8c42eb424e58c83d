/* Files copied into the work directory before the program runs, and out of it afterwards: by descriptor beneath it, regular files
 * alone, never through a link, bounded. What comes out is hostile. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "sandbox/sandbox.h"

#define SANDBOX_FILES_MAX 1024
/* Of all that is collected. */
#define SANDBOX_COLLECT_BYTES ((uint64_t)16 * 1024 * 1024)
#define SANDBOX_COLLECT_FILES 256

/* Opens what is to be copied in; before anything is made. *ret_fds: n descriptors in the arena, the caller's to close. */
int sandbox_files_open(const struct sandbox_copy *files, size_t n, struct arena *arena, int **ret_fds, struct error *err);
/* Copies them: they belong to uid and gid (of the host) then, or to us where uid is -1. */
int sandbox_files_put(int work_fd, const struct sandbox_request *request, const int *fds, uid_t uid, struct error *err);
/* Takes what is asked for; what can't be had is an entry with its error. Fails for lack of memory alone. */
int sandbox_files_collect(int work_fd, const struct sandbox_request *request, struct sandbox_result *ret,
			  struct error *err);
