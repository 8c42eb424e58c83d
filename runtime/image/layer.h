/* One layer: its blob unpacked, both digests checked, its entries added to the tree. */
#pragma once

#include "base/error.h"
#include "image/document.h"
#include "image/layout.h"
#include "image/tree.h"

/* diff_id: the digest of the tar archive itself, from the image's configuration. On failure the tree has a part of the layer. */
int layer_apply(struct layout *layout, const struct document_descriptor *descriptor, const char *diff_id,
		struct tree *tree, struct error *err);
