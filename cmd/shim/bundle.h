/* The bundle, a directory that containerd made for the container, and the few files in it that are containerd's and ours. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

/* given: -bundle, or "": the working directory. A descriptor, or a negative errno with err set. */
int bundle_open(const char *given, struct error *err);
/* The absolute path of the same, in arena. */
int bundle_path(const char *given, struct arena *arena, const char **ret, struct error *err);
/* `address`: unix://PATH of the shim. containerd 1.6 looks there after its restart; later versions keep it in a file of their
 * own. */
int bundle_write_address(int bundle_fd, const char *address, struct error *err);
/* The path in it, in arena; NULL where there is none. */
int bundle_read_socket_path(int bundle_fd, struct arena *arena, const char **ret, struct error *err);
