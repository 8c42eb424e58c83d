/* What is asked in a ttrpc frame, as plain data. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "shim/ttrpc/message.h"

#define REQUEST_METADATA_MAX 128

struct request_metadata {
	const char *key, *value;
};

struct request {
	const char *service; /* "containerd.task.v2.Task" */
	const char *method;  /* "Create" */
	struct message_bytes payload;
	int64_t timeout; /* nanoseconds; 0: none, less: over before it began */
	const struct request_metadata *metadata;
	size_t n_metadata;
};

/* Unpacks the body of a request frame; *ret lies in arena. Returns 0, or a negative errno with err set (message_unpack). */
int request_parse(struct message_bytes body, struct arena *arena, struct request *ret, struct error *err);
/* Appends to buffer; errors are in buffer->failed. */
void request_pack(const struct request *request, struct buffer *buffer);
