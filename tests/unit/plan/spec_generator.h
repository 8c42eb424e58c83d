/* Random config.json files that ask for too much: each rule of the floor is reached by some of them. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "plan_fixture.h"

#define SPEC_GENERATOR_MOUNTS_MAX 6

struct spec_generator {
	uint64_t state; /* of the random numbers: the seed to begin with, not 0 */
	struct host_source sources[SPEC_GENERATOR_MOUNTS_MAX];
	size_t n_mounts;
};

/* One document, and with it fixture->host, the request's options and the facts about its sources. text: to be released by the caller. */
void spec_generator_next(struct spec_generator *generator, struct plan_fixture *fixture, struct buffer *text);
/* Whether no container under strict may have that path as a volume, whoever asks (one of those that the generator uses). */
bool spec_generator_forbids(const char *source);
/* Whether no container under strict may have that annotation (one of those that the generator uses). */
bool spec_generator_misuses(const char *annotation);
