/* Events on disk, first in, first out, in one file that is there as long as any of them waits. It outlives a kill of the shim: a record that
 * was half written then is left out by the next one. It is not synchronised: a host that goes down has no events to tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define QUEUE_FILE "brig-events"

struct queue {
	int directory_fd;      /* the caller's */
	int fd;		       /* -EBADF: there is no file */
	uint64_t head, tail;   /* offsets: the first event that waits, the end */
	uint64_t n_given_back; /* bytes after the header that are a hole */
};

/* Takes over what an earlier shim left. A file that is none of ours is put aside (QUEUE_FILE.bad). Returns 0 or a negative errno with err
 * set; the queue is empty and usable then, too. */
int queue_init(struct queue *queue, int directory_fd, struct error *err);
/* Closes the file, and leaves it with what is in it to the next shim. */
void queue_done(struct queue *queue);
/* Without a file: an empty queue leaves none behind in the bundle. */
bool queue_is_empty(const struct queue *queue);
/* Returns 0; -ENOSPC where the file would take more than max bytes, with what was sent and has not been given back (a MiB, as a rule); or
 * another negative errno: with err set, and nothing is changed. */
int queue_append(struct queue *queue, const struct buffer *event, size_t max, struct error *err);
/* Appends the first event to event. -EBADMSG: it is not what was written. The queue is not empty, here and below. */
int queue_peek(const struct queue *queue, struct buffer *event, struct error *err);
/* The first event is done with. */
void queue_drop(struct queue *queue);
