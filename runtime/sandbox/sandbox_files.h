/* Files copied into the work directory before the program runs, and out of it afterwards: by descriptor beneath it, regular files
 * alone, never through a link, bounded. What comes out is hostile. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "image/pace.h"
#include "sandbox/sandbox.h"

#define SANDBOX_FILES_MAX 1024
/* Of all that is collected. */
#define SANDBOX_COLLECT_BYTES ((uint64_t)16 * 1024 * 1024)
#define SANDBOX_COLLECT_FILES 256

/* What the program is to read: a file of the host's, opened without waiting for anybody, or with "-" brig's own standard input. */
int sandbox_files_open_stdin(const char *path, struct error *err);
/* Opens what is to be copied in; before anything is made. *ret_fds: n descriptors in the arena, the caller's to close. */
int sandbox_files_open(const struct sandbox_copy *files, size_t n, struct arena *arena, int **ret_fds, struct error *err);
/* Is there what the binds show? Only to say it early, and of the option: what counts is what is there once it is mounted. */
int sandbox_files_check_binds(const struct sandbox_request *request, struct error *err);

struct sandbox_filling {
	int work_fd;
	const int *fds; /* sandbox_files_open's */
	uid_t uid;	/* of the host: what is copied belongs to it, and to the group of that number; -1: to us */
	const struct pace *pace;
};
/* Copies them. */
int sandbox_files_put(const struct sandbox_filling *filling, const struct sandbox_request *request, struct error *err);
struct sandbox_emptying {
	int work_fd;
	int signal_fd;	/* signals come by it (signalfd(2)) and not by themselves; or -EBADF */
	int stopped_by; /* found: one that asks brig to stop, while nobody read what was collected; or 0 */
};
/* Takes what is asked for; what can't be had is an entry with its error. Fails for lack of memory, and where it was stopped. */
int sandbox_files_collect(struct sandbox_emptying *emptying, const struct sandbox_request *request,
			  struct sandbox_result *ret, struct error *err);
