/* What checkpoint and restore have in common: the images' folders, and what of ours a container's first three descriptors were. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig.h"
#include "container/checkpoint/criu_arguments.h"
#include "container/creation/creation.h"

/* The same with absolute paths; make: folders that are missing are made (0700). */
int checkpoint_folders(const struct brig_images *asked, bool make, struct arena *arena, struct brig_images *ret,
		       struct error *err);
/* Beside the images: names that CRIU knows descriptors by, "" for those that are the container's own. */
int checkpoint_streams_save(const char *folder, const char *const streams[static CRIU_STREAMS], struct error *err);
int checkpoint_streams_load(const char *folder, struct arena *arena, const char *ret[static CRIU_STREAMS],
			    struct error *err);

/* In place of a birth: creation->birth is what CRIU has brought back from the request's images. With CHILD_INIT_WAITS it is stopped, and
 * goes on by checkpoint_go_on. */
int checkpoint_restore(struct creation *creation, struct error *err);
/* Is it one that has not gone on yet? */
bool checkpoint_waits(const struct container *container);
int checkpoint_go_on(const struct container *container, struct error *err);
