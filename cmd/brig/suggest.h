/* "Did you mean ...?": the word of a list that is nearest to what was typed. Pure. */
#pragma once

#include <stddef.h>

struct suggest {
	const char *typed;
	const char *best; /* NULL: nothing is near enough */
	unsigned distance;
};

/* Weighs one candidate. */
void suggest_offer(struct suggest *suggest, const char *candidate);
/* How many letters have to be put in, taken out, changed or swapped with their neighbour to make a out of b; words of more
 * than 32 letters count as far apart. */
unsigned suggest_distance(const char *a, const char *b);
