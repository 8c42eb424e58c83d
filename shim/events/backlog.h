/* The few events that are on their way, in memory: first in, first out. Pure but for its memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct backlog_event;

struct backlog { /* zeroed: empty */
	struct backlog_event *first, *last;
	size_t bytes;
};

/* Frees what is left: events that were spilled to the queue before are not among it. */
void backlog_done(struct backlog *backlog);
static inline bool backlog_is_empty(const struct backlog *backlog)
{
	return !backlog->first;
}
/* Takes the content of event, which is empty afterwards. Returns 0 or -ENOMEM. */
int backlog_append(struct backlog *backlog, struct buffer *event);
/* The first event, good until it is dropped. The backlog is not empty. */
const struct buffer *backlog_peek(const struct backlog *backlog);
void backlog_drop(struct backlog *backlog);
