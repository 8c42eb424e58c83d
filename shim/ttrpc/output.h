/* Frames that wait to be written, in order, within a bound. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "shim/ttrpc/frame.h"
#include "shim/ttrpc/message.h"

/* Above the mark nothing more is read from a peer that does not fetch its answers; above the maximum it is cut off. Bytes. */
#define OUTPUT_MARK ((size_t)256 * 1024)
#define OUTPUT_MAX ((size_t)16 * 1024 * 1024)

struct output {
	struct buffer bytes;
	size_t n_sent; /* of bytes, that are written already */
};

void output_done(struct output *output);
/* Appends a frame whose length is the body's. Returns 0; -EMSGSIZE (body above FRAME_LENGTH_MAX); -ENOBUFS (the queue would
 * grow over OUTPUT_MAX); -ENOMEM. The queue is as before on failure. */
int output_add(struct output *output, struct frame_header header, struct message_bytes body);
/* What is to be written next; a length of 0: nothing. */
struct message_bytes output_next(const struct output *output);
/* The first n bytes of that are written. */
void output_advance(struct output *output, size_t n);
bool output_is_full(const struct output *output);
