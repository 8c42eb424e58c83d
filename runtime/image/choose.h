/* Which image of a layout is meant: by its tag, and for this machine. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "image/document.h"
#include "image/layout.h"

#define CHOOSE_DEPTH_MAX 4    /* indexes inside indexes */
#define CHOOSE_INDEXES_MAX 64 /* that are read in all */

/* The architecture that this program was built for, as images name it ("amd64"). */
const char *choose_architecture(void);
/* Does an image for platform run here? NULL, or without an architecture: its configuration has to say. */
bool choose_fits(const struct document_platform *platform);

/* Finds the manifest's descriptor. tag: org.opencontainers.image.ref.name (or io.containerd.image.name), or NULL: there has to be one
 * image only. ERROR_NOT_FOUND: none of that name, or none for this machine: the message says what there is. ERROR_USAGE: several,
 * and no tag. */
int choose_manifest(struct layout *layout, const char *tag, struct arena *arena, struct document_descriptor *ret,
		    struct error *err);
