/* Moves bytes from one descriptor to another, with back-pressure: while the destination is full the source is not
 * looked at. Nothing is buffered between callbacks. Both descriptors stay the caller's, non-blocking. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "shim/loop/loop.h"

#define COPY_UNLIMITED UINT64_MAX

struct copy_options {
	struct loop *loop;
	int from_fd; /* a fifo, pipe or terminal's master */
	int to_fd;   /* of what loop_watch can't watch it is taken that it never blocks */
	int drop_fd; /* /dev/null; for what is over the limit. -EBADF where there is none */
	/* By read(2) and write(2) rather than splice(2). Each piece that splice moves takes a whole page of the destination's pipe, so that
	 * 16 short lines fill it, while writes share pages; and a terminal's bytes are copied in any case. */
	bool merges;
	uint64_t limit; /* bytes that may pass, or COPY_UNLIMITED; the rest is read and dropped */
	/* The source has ended (end of file; the last user of a terminal is gone), or can't be used any more. Last thing that a
	 * callback does: the copy may be freed in it. */
	void (*ended)(void *context);
	/* Once: there was something to drop. May not free the copy. NULL is allowed. */
	void (*overflowed)(void *context);
	void *context;
};

/* A member of its owner. Zeroed: not active. */
struct copy {
	struct copy_options options;
	struct loop_watch from_watch, to_watch;
	uint64_t left;	 /* of limit */
	uint64_t n_last; /* when draining: bytes that were in the source, at most */
	bool is_active, is_draining, has_overflowed;
};

int copy_begin(struct copy *copy, const struct copy_options *options, struct error *err);
/* The writer is gone: what it wrote, bound bytes at most, is still to be copied. `ended` is called when the source is empty or
 * bound bytes came, even where somebody else holds it open. Returns true (and `ended` isn't called) where that is so already. */
bool copy_drain(struct copy *copy, uint64_t bound);
/* No more callbacks. Nothing happens where it is not active. */
void copy_end(struct copy *copy);
