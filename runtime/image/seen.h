/* Which names the layer at hand has made: a whiteout hides those of the layers below alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	uint64_t *keys; /* a hash table with open addressing; 0: free */
	size_t n, capacity;
};

/* Frees the table; it is empty afterwards, ready for the next layer. */
void seen_done(struct seen *seen);
/* folder: the inode of the folder that name is in. 0 or -ENOMEM. */
int seen_add(struct seen *seen, uint64_t folder, const char *name);
bool seen_has(const struct seen *seen, uint64_t folder, const char *name);
