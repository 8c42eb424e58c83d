#pragma once
/* How often a test repeats what is random, or looks for a slope: all of its rounds, at size fast a fifth of them. */
#include <stdlib.h>
#include <string.h>

static inline unsigned rounds_of(unsigned all)
{
	const char *size = getenv("BRIG_TEST_SIZE");

	return size && strcmp(size, "fast") == 0 ? all / 5 : all;
}
