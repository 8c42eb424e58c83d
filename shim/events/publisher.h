/* Events on their way to containerd, in order, each until it is taken: over ttrpc to TTRPC_ADDRESS, and while nobody is there in a
 * file of the bundle, so that not even the shim's end loses them. Source: shim contract, "Events". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"

struct publisher;

#define PUBLISHER_QUEUE_BYTES_MAX ((size_t)16 * 1024 * 1024) /* of all that waits, in the file */

struct publisher_options {
	struct loop *loop;
	const char *address; /* path of containerd's ttrpc socket (TTRPC_ADDRESS); NULL or "": nobody ever asks for events (CRI-O) */
	const char *namespace; /* containerd's */
	int directory_fd;      /* where the queue's file is kept; stays the caller's */
};

/* What an earlier shim left in the queue is sent first. */
int publisher_new(const struct publisher_options *options, struct publisher **ret, struct error *err);
/* What is in memory goes to the file. NULL is allowed. */
void publisher_free(struct publisher *publisher);
DEFINE_CLEANUP(struct publisher *, publisher_free);

struct publisher_event {
	const char *topic;    /* "/tasks/start" */
	const char *type_url; /* "containerd.events.TaskStart" */
	const void *value;    /* the packed message; copied */
	size_t length;
};
/* Stamps the event with the time and queues it; without an address it is dropped. Never blocks. */
int publisher_publish(struct publisher *publisher, const struct publisher_event *event, struct error *err);
/* Nothing waits any more. */
bool publisher_is_idle(const struct publisher *publisher);
/* There are signs that containerd is back: what waits is tried now, and again soon. */
void publisher_hurry(struct publisher *publisher);
/* `idle` is called once when nothing waits any more, or after timeout (nanoseconds); maybe at once, from within. For the shim's end. */
void publisher_finish(struct publisher *publisher, uint64_t timeout, void (*idle)(void *context), void *context);
