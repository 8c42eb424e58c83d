#include "shim/events/backlog.h"

#include <errno.h>
#include <stdlib.h>

/* Each a piece of memory of its own: with a list of fixed size the shim would carry the size of its worst moment for weeks. */
struct backlog_event {
	struct backlog_event *next;
	struct buffer packed;
};

void backlog_done(struct backlog *backlog)
{
	while (backlog->first)
		backlog_drop(backlog);
}

int backlog_append(struct backlog *backlog, struct buffer *event)
{
	struct backlog_event *added = calloc(1, sizeof(*added));

	if (!added)
		return -ENOMEM;
	added->packed = *event;
	*event = (struct buffer){ 0 };
	backlog->bytes += added->packed.length;
	*(backlog->last ? &backlog->last->next : &backlog->first) = added;
	backlog->last = added;
	return 0;
}

const struct buffer *backlog_peek(const struct backlog *backlog)
{
	return &backlog->first->packed;
}

void backlog_drop(struct backlog *backlog)
{
	struct backlog_event *event = backlog->first;

	backlog->first = event->next;
	if (!backlog->first)
		backlog->last = NULL;
	backlog->bytes -= event->packed.length;
	buffer_done(&event->packed);
	free(event);
}
