#include "cmd/brig/suggest.h"

#include <limits.h>
#include <string.h>

#define LETTERS_MAX 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][LETTERS_MAX + 1], *previous = rows[0], *row = rows[1], *older = rows[2], *spare;
	size_t n_a = strlen(a), n_b = strlen(b);

	if (n_a > LETTERS_MAX || n_b > LETTERS_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= n_b; j++)
		previous[j] = j;
	for (unsigned i = 1; i <= n_a; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			row[j] = least(previous[j], row[j - 1]) + 1;
			row[j] = least(row[j], previous[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], older[j - 2] + 1);
		}
		spare = older;
		older = previous;
		previous = row;
		row = spare;
	}
	return previous[n_b];
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
	size_t length = strlen(suggest->typed);
	unsigned distance = suggest_distance(suggest->typed, candidate);

	/* A beginning of the right word is as good as one wrong letter. */
	if (length >= 2 && !strncmp(suggest->typed, candidate, length))
		distance = 1;
	if (distance > 3 || distance * 2 > length + 1)
		return;
	if (!suggest->best || distance < suggest->distance) {
		suggest->best = candidate;
		suggest->distance = distance;
	}
}
