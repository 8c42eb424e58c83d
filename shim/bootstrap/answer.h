/* What the shim prints for `start`, `delete` and -info, each in one write and without a newline. Pure: into a buffer. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buffer.h"
#include "shim/bootstrap/bootstrap.h"

/* `start`: BootstrapResult for a caller of the new form; for a legacy one the bare address where version is 2 (1.6 knows
 * nothing else), else JSON. version: that of the shim at address, which may be an older one's. */
void answer_start(enum bootstrap_form form, unsigned version, const char *address, struct buffer *out);

struct answer_annotation {
	const char *name, *value;
};

struct answer_info {
	const char *name; /* of the runtime: io.containerd.brig.v2 */
	const char *version, *revision;
	struct bootstrap_any options; /* as they came on stdin */
	const char *features;	      /* the OCI features document, JSON; NULL: none */
	size_t features_length;
	const struct answer_annotation *annotations;
	size_t n_annotations;
};

/* -info: RuntimeInfo. */
void answer_info(const struct answer_info *info, struct buffer *out);
/* `delete`: DeleteResponse. status: 128 + signal; at: CLOCK_REALTIME. */
void answer_delete(uint32_t pid, uint32_t status, struct timespec at, struct buffer *out);
