/* An image layout (image-spec 1.1, image-layout.md): a folder, or a tar file of one. Blobs are found by their digest alone, never by
 * a name that the layout gives. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "image/digest.h"
#include "image/document.h"
#include "image/pace.h"

struct layout;

/* A run of bytes in a file. */
struct layout_blob {
	int fd; /* the blob's own (layout_blob_done) */
	uint64_t offset, size;
	struct digest digest;
};

/* Closes the blob's descriptor. */
void layout_blob_done(struct layout_blob *blob);
static inline void layout_blob_done_cleanup(struct layout_blob *blob)
{
	layout_blob_done(blob);
}

/* Opens the layout at path and checks its version. ERROR_NOT_FOUND: nothing there; ERROR_REFUSED: no layout, or a damaged one. */
int layout_open(const char *path, const struct pace *pace, struct layout **ret, struct error *err);
void layout_free(struct layout *layout);
DEFINE_CLEANUP(struct layout *, layout_free);

/* index.json as text. */
int layout_read_index(struct layout *layout, struct buffer *text, struct error *err);
/* Opens a blob; its size is the descriptor's, its content not looked at yet. */
int layout_open_blob(struct layout *layout, const struct document_descriptor *descriptor, struct layout_blob *ret,
		     struct error *err);
/* A blob of at most DOCUMENT_BYTES_MAX, read whole, with its digest checked. */
int layout_read_blob(struct layout *layout, const struct document_descriptor *descriptor, struct buffer *text,
		     struct error *err);
