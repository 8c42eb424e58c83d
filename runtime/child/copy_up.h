/* tmpcopyup: a tmpfs that begins with a copy of the directory it hides. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Copies what lies in from_fd (an O_PATH directory) to to_fd: directories, regular files, symbolic links with mode and owner;
 * nothing else, never beyond the file system of from_fd, at most 64 levels deep. to_fd itself gets the owner of from_fd, and
 * with_mode its permissions: not where the mount's options name others. */
int copy_up(int from_fd, int to_fd, bool with_mode, struct error *err);
