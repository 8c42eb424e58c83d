/* The standard streams as containerd gives them. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends stdin up to its end, and up to one byte more than max: to be seen as too much by whoever decodes it. Nothing is waited
 * for at a terminal, nor at a pipe that nobody writes to. Returns 0 or a negative errno with err set. */
int stream_read_input(size_t max, struct buffer *buffer, struct error *err);
/* One answer to stdout. */
int stream_write_answer(const struct buffer *answer, struct error *err);
