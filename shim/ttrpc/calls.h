/* The calls of one connection that have no answer yet, by stream id. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Waits for processes are calls that stay open for hours: one a process. */
#define CALLS_MAX 1024

struct server_method;

struct call {
	uint32_t stream_id;
	const struct server_method *method;
	uint64_t deadline; /* as loop_now() counts; 0: none */
	bool takes_data;   /* the peer may send more on this stream */
};

/* In the order of the ids, which only rise. */
struct calls {
	struct call *list;
	size_t n, capacity;
};

/* Frees the list; the calls are forgotten. */
void calls_done(struct calls *calls);
/* Returns 0; -ENOSPC where CALLS_MAX are open; -ENOMEM. call's id is above those of all earlier calls. */
int calls_add(struct calls *calls, const struct call *call);
/* The open call, or NULL; good until the next change. */
struct call *calls_find(const struct calls *calls, uint32_t stream_id);
/* Returns whether it was there. */
bool calls_remove(struct calls *calls, uint32_t stream_id);
/* The earliest deadline, or 0. */
uint64_t calls_earliest(const struct calls *calls);
/* Takes out one call whose deadline is now or before: copied to *ret. Returns whether there was one. */
bool calls_take_expired(struct calls *calls, uint64_t now, struct call *ret);
/* Takes out any call. */
bool calls_take_any(struct calls *calls, struct call *ret);
