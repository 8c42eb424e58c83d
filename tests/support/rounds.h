#pragma once
/* How often a test repeats what is random, or looks for a slope: all of its rounds; a fifth of them at size fast, and where a sanitizer
 * makes each take several times as long. */
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ROUNDS_ARE_SLOW 1
#elif defined(__has_feature)
#define ROUNDS_ARE_SLOW __has_feature(address_sanitizer)
#else
#define ROUNDS_ARE_SLOW 0
#endif

static inline unsigned rounds_of(unsigned all)
{
	const char *size = getenv("BRIG_TEST_SIZE");

	return ROUNDS_ARE_SLOW || (size && strcmp(size, "fast") == 0) ? all / 5 : all;
}
