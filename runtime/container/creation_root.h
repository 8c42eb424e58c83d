/* The root file system that a supervisor hands over as mounts. */
#pragma once

#include "base/error.h"
#include "container/creation.h"

/* Makes it: detached in creation's root_mount_fd or, where hooks look at root.path, attached there and on record. Does nothing
 * without a supervisor, or where it gives no mounts. */
int creation_root_make(struct creation *creation, struct error *err);
