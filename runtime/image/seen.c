#include "image/seen.h"

#include <errno.h>
#include <stdlib.h>

#define CAPACITY_LEAST 1024

void seen_done(struct seen *seen)
{
	free(seen->keys);
	*seen = (struct seen){ 0 };
}

/* FNV-1a. Two names with one key would keep what a whiteout hides, in the image of whoever took the trouble. */
static uint64_t key_of(uint64_t folder, const char *name)
{
	uint64_t key = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < sizeof(folder); i++)
		key = (key ^ (folder >> (8 * i) & 0xff)) * 0x100000001b3ULL;
	for (; *name; name++)
		key = (key ^ (unsigned char)*name) * 0x100000001b3ULL;
	return key ?: 1;
}

/* Where key is, or would be. The table is never full. */
static uint64_t *place_of(uint64_t *keys, size_t capacity, uint64_t key)
{
	size_t i = (size_t)key & (capacity - 1);

	while (keys[i] && keys[i] != key)
		i = (i + 1) & (capacity - 1);
	return &keys[i];
}

/* Powers of two, so that a mask is the remainder; at most half full, so that a run of neighbours stays short. */
static int grow(struct seen *seen)
{
	size_t capacity = seen->capacity ? 2 * seen->capacity : CAPACITY_LEAST;
	uint64_t *keys = calloc(capacity, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < seen->capacity; i++) {
		if (seen->keys[i])
			*place_of(keys, capacity, seen->keys[i]) = seen->keys[i];
	}
	free(seen->keys);
	seen->keys = keys;
	seen->capacity = capacity;
	return 0;
}

int seen_add(struct seen *seen, uint64_t folder, const char *name)
{
	uint64_t key = key_of(folder, name), *place;

	if (2 * seen->n >= seen->capacity && grow(seen) < 0)
		return -ENOMEM;
	place = place_of(seen->keys, seen->capacity, key);
	if (!*place)
		seen->n++;
	*place = key;
	return 0;
}

bool seen_has(const struct seen *seen, uint64_t folder, const char *name)
{
	uint64_t key = key_of(folder, name);

	return seen->n > 0 && *place_of(seen->keys, seen->capacity, key) == key;
}
