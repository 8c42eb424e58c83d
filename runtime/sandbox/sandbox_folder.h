/* What a sandbox has on disk, below ROOT/.sandbox (0700): a locked directory of its own while it is there, and the root file systems
 * that all sandboxes share, whose names begin with a dot as no sandbox's does. A directory that nobody locks was left by a brig that was killed: the next sandbox takes it away, with
 * its container. */
#pragma once

#include "base/error.h"
#include "image/pace.h"
#include "sandbox/sandbox.h"

struct sandbox_folder {
	char *path;	  /* ROOT/.sandbox */
	int folder_fd;	  /* of it */
	int own_fd;	  /* FOLDER/ID, locked */
	const char *id;	  /* the caller's */
	struct pace pace; /* the caller's: asked by what takes long to fill it */
};

/* Makes both, after taking away what is left of others. pace is asked while others are waited for, and kept. ret is for
 * sandbox_folder_close() also on failure. */
int sandbox_folder_open(const struct brig *brig, const char *id, const struct pace *pace, struct sandbox_folder *ret,
			struct error *err);
/* Removes the own directory with all that is in it. A failure is a warning. */
void sandbox_folder_close(struct sandbox_folder *folder);
/* flock(2) with LOCK_SH, waited for as long as pace goes along: nobody holds the other kind for long who is not stopped himself. Returns
 * 0 or a negative errno, with err set. */
int sandbox_folder_lock(int fd, const struct pace *pace, struct error *err);
/* Removes dir_fd/name, a directory, and all below it, however deep. Returns 0 or a negative errno. */
int sandbox_folder_remove(int dir_fd, const char *name);
