/* Image layouts for tests: a folder "layout" in a scratch directory, the same as "layout.tar", and a folder "root" to unpack into.
 * "outside" is a folder that nothing may touch. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "image/document.h"
#include "image/image.h"
#include "tests/support/scratch.h"

#define FIXTURE_LAYERS 4

struct layout_fixture {
	struct scratch scratch;
	struct buffer tar, manifests; /* as they grow */
	struct arena *arena;
};

struct fixture_image {
	const char *tag;		       /* or NULL */
	const char *platform;		       /* "os":"linux",... of the descriptor in index.json, or NULL */
	struct buffer *layers[FIXTURE_LAYERS]; /* tar archives */
	enum document_layer kinds[FIXTURE_LAYERS];
	const char *process;	  /* the configuration's object "config", or NULL */
	const char *architecture; /* NULL: this machine's */
	/* What is wrong with it. */
	const char *diff_id, *layer_digest; /* instead of the first layer's */
	int layer_size;			    /* added to the first layer's */
	const char *layer_type;		    /* mediaType of the first layer */
	unsigned more_diff_ids;
};

struct layout_fixture layout_fixture_new(void);
void layout_fixture_done(struct layout_fixture *fixture);
#define LAYOUT_FIXTURE(name) \
	__attribute__((cleanup(layout_fixture_done))) struct layout_fixture name = layout_fixture_new()

/* Any file of the layout. */
void layout_fixture_file(struct layout_fixture *fixture, const char *name, const void *data, size_t length);
/* A blob; hex is its digest. */
void layout_fixture_blob(struct layout_fixture *fixture, const void *data, size_t length, char hex[static 65]);
/* The image's blobs; its descriptor (a JSON object) is appended to *descriptors, after a comma where there is one. */
void layout_fixture_image(struct layout_fixture *fixture, const struct fixture_image *image, struct buffer *descriptors);
/* oci-layout, and index.json with fixture->manifests. */
void layout_fixture_finish(struct layout_fixture *fixture);
/* The archive packed. */
void layout_fixture_pack(const struct buffer *archive, enum document_layer kind, struct buffer *ret);
/* image_unpack of "layout" or "layout.tar" into "root". */
int layout_fixture_unpack(struct layout_fixture *fixture, const char *name, const char *tag, struct image_config *ret,
			  struct error *err);
