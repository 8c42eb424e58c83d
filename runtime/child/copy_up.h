/* tmpcopyup: a tmpfs that begins with a copy of the directory it hides. */
#pragma once

#include "base/error.h"

/* What the new file system's own directory takes over. */
enum {
	COPY_UP_MODE = 1 << 0,
	COPY_UP_UID = 1 << 1,
	COPY_UP_GID = 1 << 2,
	COPY_UP_ALL = COPY_UP_MODE | COPY_UP_UID | COPY_UP_GID,
};

/* Copies what lies in from_fd (an O_PATH directory) to to_fd: directories, regular files, symbolic links with mode and owner;
 * nothing else, never beyond the file system of from_fd, at most 64 levels deep. to_fd itself gets of from_fd what `own` says,
 * COPY_UP_*: not what the mount's options name otherwise. */
int copy_up(int from_fd, int to_fd, unsigned own, struct error *err);
