/* A blob unpacked by a process of its own that has no system call but read, write and exit (seccomp(2), strict mode): decompressors
 * have had holes, and a layer is the place for an attack on one. What comes out of it is trusted no more than the blob. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/document.h"
#include "image/layout.h"

/* More than this many times its size is a bomb, once it is over DECODER_RATIO_FREE bytes. */
#define DECODER_RATIO_MAX 256
#define DECODER_RATIO_FREE ((uint64_t)64 * 1024 * 1024)

struct decoder {
	int fd; /* to read from: what was unpacked */
	pid_t pid;
};

static inline void decoder_init(struct decoder *decoder)
{
	*decoder = (struct decoder){ .fd = -EBADF, .pid = -1 };
}

/* kind: not DOCUMENT_LAYER_OTHER. max: bytes that may come out. */
int decoder_start(const struct layout_blob *blob, enum document_layer kind, uint64_t max, struct decoder *ret,
		  struct error *err);
/* After all of fd was read: was the blob what its descriptor says, whole and sound? ERROR_REFUSED says why not. */
int decoder_finish(struct decoder *decoder, struct error *err);
/* Ends it at any time. */
void decoder_done(struct decoder *decoder);
static inline void decoder_done_cleanup(struct decoder *decoder)
{
	decoder_done(decoder);
}
