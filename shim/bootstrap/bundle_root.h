/* Where the state of a bundle's container is kept, remembered in the bundle: `delete` has to find it with the shim dead, and
 * containerd does not give it the handler's options. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#define BUNDLE_ROOT_FILE "brig-root"

/* root: as in struct brig, absolute. To be called before the container is made, wherever root is not the default. */
int bundle_root_write(int bundle_fd, const char *root, struct error *err);
/* *ret: in arena; NULL where nothing is remembered. Returns 0 or a negative errno with err set. */
int bundle_root_read(int bundle_fd, struct arena *arena, const char **ret, struct error *err);
