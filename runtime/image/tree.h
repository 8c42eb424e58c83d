/* The folder that layers are unpacked into, entry by entry. Nothing outside it is ever opened: parents are found beneath its
 * descriptor (openat2(2)), the last component is never followed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/pace.h"
#include "image/seen.h"
#include "image/tar.h"

struct tree {
	int root_fd;
	bool keeps_owners;		   /* we are root: owners and modes are the layer's */
	uint64_t bytes_left, entries_left; /* of all layers */
	uint64_t visits_left;		   /* at what is to be removed or hidden; each entry brings some */
	const struct pace *pace;
	struct seen seen; /* what this layer made */
};

/* Adds one entry of a layer; a file's content comes from tar. ERROR_REFUSED: hostile, or over a limit. */
int tree_add(struct tree *tree, const struct tar_entry *entry, struct tar *tar, struct error *err);
/* The next layer begins. */
void tree_next_layer(struct tree *tree);
void tree_done(struct tree *tree);
