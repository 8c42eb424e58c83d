/* The root file system that a supervisor hands over as mounts. */
#pragma once

#include "base/error.h"
#include "container/creation/creation.h"

/* What planning wants to know of it, before it is made: can its ids be mapped? ret is untouched where there are no mounts, or they make
 * no sense, which creation_root_make says. -ENOMEM. */
int creation_root_look(const struct brig_supervisor *supervisor, struct host_source *ret, struct error *err);
/* Makes it: detached in creation's root_mount_fd or, where hooks look at root.path, attached there and on record. Does nothing
 * without a supervisor, or where it gives no mounts. */
int creation_root_make(struct creation *creation, struct error *err);
