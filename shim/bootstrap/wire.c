#include "shim/bootstrap/wire.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define VARINT_BYTES_MAX 10u
#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)

enum wire_type { TYPE_VARINT = 0, TYPE_FIXED64 = 1, TYPE_BYTES = 2, TYPE_FIXED32 = 5 };

/* These take from the front of message; after -EBADMSG what is left of it makes no sense. */
static int take_varint(struct wire_bytes *message, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_BYTES_MAX && message->length > 0; i++) {
		uint8_t byte = *message->data++;

		message->length--;
		/* Ten bytes have room for 70 bits: the tenth may only give the last one. */
		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_bytes(struct wire_bytes *message, uint64_t length, struct wire_bytes *ret)
{
	if (length > message->length)
		return -EBADMSG;
	*ret = (struct wire_bytes){ .data = message->data, .length = (size_t)length };
	message->data += length;
	message->length -= (size_t)length;
	return 0;
}

static int take_fixed(struct wire_bytes *message, size_t size, uint64_t *ret)
{
	struct wire_bytes bytes;
	uint64_t value = 0;

	if (take_bytes(message, size, &bytes) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes.data[i] << (8 * i);
	*ret = value;
	return 0;
}

static int take_value(struct wire_bytes *message, unsigned type, struct wire_value *ret)
{
	uint64_t length;

	ret->kind = WIRE_NUMBER;
	if (type == TYPE_VARINT)
		return take_varint(message, &ret->value);
	if (type == TYPE_FIXED64)
		return take_fixed(message, sizeof(uint64_t), &ret->value);
	if (type == TYPE_FIXED32)
		return take_fixed(message, sizeof(uint32_t), &ret->value);
	if (type != TYPE_BYTES)
		return -EBADMSG;
	ret->kind = WIRE_BYTES;
	if (take_varint(message, &length) < 0)
		return -EBADMSG;
	return take_bytes(message, length, &ret->bytes);
}

int wire_next(struct wire_bytes *message, struct wire_value *ret)
{
	struct wire_value value = { 0 };
	uint64_t tag;

	if (message->length == 0)
		return 0;
	if (take_varint(message, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
		return -EBADMSG;
	value.number = (uint32_t)(tag >> 3);
	if (take_value(message, (unsigned)(tag & 7), &value) < 0)
		return -EBADMSG;
	*ret = value;
	return 1;
}

/* The last one of a field wins, as protobuf has it; one of another wire type than its own makes the whole malformed. */
static int store(const struct wire_value *value, const struct wire_field *fields, void *target)
{
	for (; fields->number; fields++) {
		void *place = (char *)target + fields->offset;

		if (fields->number != value->number)
			continue;
		if (fields->kind != value->kind)
			return -EBADMSG;
		if (value->kind == WIRE_NUMBER)
			*(uint64_t *)place = value->value;
		else
			*(struct wire_bytes *)place = value->bytes;
	}
	return 0;
}

int wire_decode(struct wire_bytes message, const struct wire_field *fields, void *target)
{
	for (unsigned n = 0;; n++) {
		struct wire_value value;
		int r = wire_next(&message, &value);

		if (r <= 0)
			return r;
		if (n >= WIRE_FIELDS_MAX || store(&value, fields, target) < 0)
			return -EBADMSG;
	}
}

const char *wire_text(struct wire_bytes bytes, struct arena *arena)
{
	const char *text = (const char *)bytes.data;

	if (bytes.length == 0)
		return arena_strdup(arena, "");
	if (memchr(text, '\0', bytes.length) || utf8_valid_length(text, bytes.length) != bytes.length)
		return NULL;
	return arena_strndup(arena, text, bytes.length);
}

bool wire_equals(struct wire_bytes bytes, const char *text)
{
	return bytes.length == strlen(text) && (bytes.length == 0 || memcmp(bytes.data, text, bytes.length) == 0);
}

/* Seven bits a byte, the lowest first. */
static void put_varint(struct buffer *message, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES_MAX];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		value >>= 7;
		n++;
	} while (value);
	buffer_append(message, bytes, n);
}

void wire_put_number(struct buffer *message, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	put_varint(message, (uint64_t)field << 3 | TYPE_VARINT);
	put_varint(message, value);
}

void wire_put_text(struct buffer *message, uint32_t field, const char *text)
{
	if (text && *text)
		wire_put_bytes(message, field, text, strlen(text));
}

void wire_put_bytes(struct buffer *message, uint32_t field, const void *data, size_t length)
{
	put_varint(message, (uint64_t)field << 3 | TYPE_BYTES);
	put_varint(message, length);
	if (length)
		buffer_append(message, data, length);
}

void wire_put_message(struct buffer *message, uint32_t field, const struct buffer *part)
{
	if (part->failed)
		message->failed = part->failed;
	wire_put_bytes(message, field, part->data, part->length);
}
