/* One direction of a connection: bytes read from one end and not yet written to the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Holds the hello of TLS, and a head written anew with what came behind it. */
#define FLOW_SIZE ((size_t)17 * 1024)

struct flow {
	size_t begin, end;
	uint64_t bytes; /* written */
	bool is_at_end; /* nothing more is to be read */
	bool is_shut;	/* and the other end has been told */
	char data[FLOW_SIZE];
};

/* Reads what there is, at most `most` bytes in all. Returns 1: something came; 0: nothing now, or the end; a negative errno. */
int flow_read(struct flow *flow, int fd, size_t most);
/* The same for writing. */
int flow_write(struct flow *flow, int fd);
/* Is there something to be written? */
static inline bool flow_holds(const struct flow *flow)
{
	return flow->end > flow->begin;
}
