/* Where a container's config.json comes from: its bundle, or whoever attends to it. */
#pragma once

#include <limits.h>

#include "base/buffer.h"
#include "base/error.h"
#include "container/brig.h"
#include "spec/spec.h"

/* The bundle made absolute. */
int creation_bundle_find(const char *bundle, char path[static PATH_MAX], struct error *err);
/* ret_text: the document as it was read; the caller's also in case of failure. */
int creation_bundle_load(const char *bundle, const struct brig_create *request, struct spec **ret,
			 struct buffer *ret_text, struct error *err);
