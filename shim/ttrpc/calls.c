#include "shim/ttrpc/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 16

void calls_done(struct calls *calls)
{
	free(calls->list);
	*calls = (struct calls){ 0 };
}

int calls_add(struct calls *calls, const struct call *call)
{
	if (calls->n >= CALLS_MAX)
		return -ENOSPC;
	if (calls->n == calls->capacity) {
		size_t capacity = calls->capacity ? calls->capacity * 2 : CAPACITY_FIRST;
		struct call *list = reallocarray(calls->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		calls->list = list;
		calls->capacity = capacity;
	}
	calls->list[calls->n++] = *call;
	return 0;
}

/* For bsearch(3), of a key that is an id. */
static int compare_ids(const void *key, const void *call)
{
	uint32_t wanted = *(const uint32_t *)key, found = ((const struct call *)call)->stream_id;

	return (wanted > found) - (wanted < found);
}

struct call *calls_find(const struct calls *calls, uint32_t stream_id)
{
	if (calls->n == 0)
		return NULL;
	return bsearch(&stream_id, calls->list, calls->n, sizeof(*calls->list), compare_ids);
}

static void take(struct calls *calls, size_t i)
{
	calls->n--;
	memmove(calls->list + i, calls->list + i + 1, (calls->n - i) * sizeof(*calls->list));
	/* After a burst: the list of an idle connection is small. */
	if (calls->n == 0 && calls->capacity > CAPACITY_FIRST)
		calls_done(calls);
}

bool calls_remove(struct calls *calls, uint32_t stream_id)
{
	const struct call *call = calls_find(calls, stream_id);

	if (!call)
		return false;
	take(calls, (size_t)(call - calls->list));
	return true;
}

/* A walk through all: a connection has a few at a time, and none with a deadline among the thousand waits that there may be. */
uint64_t calls_earliest(const struct calls *calls)
{
	uint64_t earliest = 0;

	for (size_t i = 0; i < calls->n; i++) {
		uint64_t deadline = calls->list[i].deadline;

		if (deadline && (earliest == 0 || deadline < earliest))
			earliest = deadline;
	}
	return earliest;
}

bool calls_take_expired(struct calls *calls, uint64_t now, struct call *ret)
{
	for (size_t i = 0; i < calls->n; i++) {
		if (calls->list[i].deadline == 0 || calls->list[i].deadline > now)
			continue;
		*ret = calls->list[i];
		take(calls, i);
		return true;
	}
	return false;
}

bool calls_take_any(struct calls *calls, struct call *ret)
{
	if (calls->n == 0)
		return false;
	*ret = calls->list[calls->n - 1];
	take(calls, calls->n - 1);
	return true;
}
