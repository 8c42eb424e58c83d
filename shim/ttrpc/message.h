/* Protobuf messages from outside, within limits: what a message may hold is checked on its bytes, along its descriptor, before
 * protobuf-c sees them; what it takes in memory is bounded by an arena. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define MESSAGE_DEPTH_MAX 8	  /* messages in messages; ours have four */
#define MESSAGE_FIELDS_MAX 16384U /* in all, unknown ones included */

/* Borrowed bytes. */
struct message_bytes {
	const void *data;
	size_t length;
};

/* What an arena for message_unpack should allow: a few times the bytes, and room for the structures. */
#define MESSAGE_MEMORY(length) ((size_t)(length)*2 + (size_t)4 * 1024 * 1024)

/* Depth, number of fields, no NUL byte and nothing but UTF-8 in strings, nothing cut short. Pure. Returns 0, or -EINVAL with
 * err naming the message and field. */
int message_check(const ProtobufCMessageDescriptor *type, struct message_bytes bytes, struct error *err);
/* Checks and unpacks. The message lies in arena and ends with it: never pass it to protobuf_c_message_free_unpacked.
 * Returns 0; -EINVAL (malformed), -ENOMEM (more than arena holds), with err set. */
int message_unpack(const ProtobufCMessageDescriptor *type, struct message_bytes bytes, struct arena *arena, void **ret,
		   struct error *err);
/* Appends message to buffer; errors are in buffer->failed. */
void message_pack(const ProtobufCMessage *message, struct buffer *buffer);
