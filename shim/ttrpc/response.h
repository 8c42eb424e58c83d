/* What is answered in a ttrpc frame, as plain data. Pure. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "shim/ttrpc/message.h"
#include "shim/ttrpc/status.h"

struct response {
	enum status_code code;
	const char *message; /* for people, where code is not STATUS_OK */
	struct message_bytes payload;
};

/* Unpacks the body of a response frame; *ret lies in arena. Returns 0, or a negative errno with err set (message_unpack). */
int response_parse(struct message_bytes body, struct arena *arena, struct response *ret, struct error *err);
/* Appends to buffer; errors are in buffer->failed. */
void response_pack(const struct response *response, struct buffer *buffer);
