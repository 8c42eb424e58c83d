/* The wire format of protocol buffers for the few small messages of the command line: `start` and `-info` answer before any
 * service exists. Pure; nothing is copied, nothing allocated by the reader.
 * Source: protobuf.dev/programming-guides/encoding */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct wire_bytes {
	const uint8_t *data; /* not terminated */
	size_t length;
};

enum wire_kind {	      /* how a field is stored in the caller's struct; zeros are what an absent field means */
		 WIRE_NUMBER, /* uint64_t; negative int32 and enum values as their 64 bit two's complement */
		 WIRE_BYTES,  /* struct wire_bytes: string, bytes, an embedded message */
};

struct wire_field {
	uint32_t number; /* 0 ends a table */
	enum wire_kind kind;
	size_t offset;
};

/* One field at a time, for repeated ones. */
struct wire_value {
	uint32_t number;
	enum wire_kind kind; /* fixed32 and fixed64 come as WIRE_NUMBER */
	uint64_t value;
	struct wire_bytes bytes;
};

#define WIRE_FIELDS_MAX 4096u /* of one message: more is no message of ours */

/* Takes the next field off message. Returns 1, 0 at the end, or -EBADMSG (groups are malformed as well). */
int wire_next(struct wire_bytes *message, struct wire_value *ret);
/* Stores the fields that the table names, the last one of each; others are skipped. Returns 0 or -EBADMSG where message is
 * malformed, has a field of the wrong type or more than WIRE_FIELDS_MAX; target is then half filled. */
int wire_decode(struct wire_bytes message, const struct wire_field *fields, void *target);
/* A string in arena. NULL where it has a NUL, is not UTF-8, or there is no memory. */
const char *wire_text(struct wire_bytes bytes, struct arena *arena);
/* Byte for byte; text without its NUL. */
bool wire_equals(struct wire_bytes bytes, const char *text);

/* Writers: nothing is written for 0, "" and NULL, as proto3 has it. Check message->failed at the end. */
void wire_put_number(struct buffer *message, uint32_t field, uint64_t value);
void wire_put_text(struct buffer *message, uint32_t field, const char *text);
/* Written also where it is empty: a present embedded message. */
void wire_put_bytes(struct buffer *message, uint32_t field, const void *data, size_t length);
/* Embeds part, which may have failed: wire_put_bytes with its content. */
void wire_put_message(struct buffer *message, uint32_t field, const struct buffer *part);
