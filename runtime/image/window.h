/* What goes into a decompressor and what comes out of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Both sides are moved on by a step. */
struct window {
	const uint8_t *in;
	size_t n_in;
	uint8_t *out;
	size_t n_out;
};
