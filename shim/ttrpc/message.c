#include "shim/ttrpc/message.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* Where the check is in the bytes; the inner messages' have their own, with the count handed on and back. */
struct reader {
	const uint8_t *at, *end;
	unsigned n_fields; /* in all levels */
	unsigned depth;
};

static int check_fields(struct reader *reader, const ProtobufCMessageDescriptor *type, struct error *err);

/* At most ten bytes, as the encoding has it. */
static bool read_varint(struct reader *reader, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Compared as a length, never added to an address: 2^64 - 1 announced bytes must not wrap. */
static bool skip(struct reader *reader, uint64_t length)
{
	if (length > (uint64_t)(reader->end - reader->at))
		return false;
	reader->at += length;
	return true;
}

static int cut_short(const ProtobufCMessageDescriptor *type, struct error *err)
{
	return error_invalid(err, "%s: the message is cut short", type->short_name);
}

static int check_string(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field,
			struct message_bytes text, struct error *err)
{
	/* As a C string it would end at the NUL: what was checked and what is used could differ. */
	if (text.length > 0 && memchr(text.data, 0, text.length))
		return error_invalid(err, "%s.%s: a NUL byte in a text", type->short_name, field->name);
	if (utf8_valid_length(text.data, text.length) != text.length)
		return error_invalid(err, "%s.%s: not UTF-8", type->short_name, field->name);
	return 0;
}

static int check_submessage(struct reader *reader, const ProtobufCFieldDescriptor *field, struct message_bytes bytes,
			    struct error *err)
{
	struct reader inner = {
		.at = bytes.data,
		.end = (const uint8_t *)bytes.data + bytes.length,
		.n_fields = reader->n_fields,
		.depth = reader->depth + 1,
	};
	int r;

	if (inner.depth > MESSAGE_DEPTH_MAX)
		return error_invalid(err, "%s: messages nest deeper than %d", field->name, MESSAGE_DEPTH_MAX);
	r = check_fields(&inner, field->descriptor, err);
	reader->n_fields = inner.n_fields;
	return r;
}

/* Text, bytes, messages and packed numbers: a length, and so many bytes. field: NULL where it is unknown. */
static int check_delimited(struct reader *reader, const ProtobufCMessageDescriptor *type,
			   const ProtobufCFieldDescriptor *field, struct error *err)
{
	struct message_bytes bytes;
	uint64_t length;

	if (!read_varint(reader, &length))
		return cut_short(type, err);
	bytes.data = reader->at;
	if (!skip(reader, length))
		return cut_short(type, err);
	bytes.length = (size_t)length;
	if (field && field->type == PROTOBUF_C_TYPE_STRING)
		return check_string(type, field, bytes, err);
	if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_submessage(reader, field, bytes, err);
	return 0;
}

static int check_field(struct reader *reader, const ProtobufCMessageDescriptor *type, struct error *err)
{
	uint64_t tag, value;
	bool is_whole;

	if (!read_varint(reader, &tag))
		return cut_short(type, err);
	if (tag >> 3 == 0 || tag > UINT32_MAX)
		return error_invalid(err, "%s: there is no field number %llu", type->short_name,
				     (unsigned long long)(tag >> 3));
	switch (tag & 7) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		is_whole = read_varint(reader, &value);
		break;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		is_whole = skip(reader, 8);
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		is_whole = skip(reader, 4);
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return check_delimited(reader, type,
				       protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3)), err);
	default: /* groups, long gone, and two numbers that never were */
		return error_invalid(err, "%s: wire type %u of field %llu is none", type->short_name,
				     (unsigned)(tag & 7), (unsigned long long)(tag >> 3));
	}
	return is_whole ? 0 : cut_short(type, err);
}

static int check_fields(struct reader *reader, const ProtobufCMessageDescriptor *type, struct error *err)
{
	while (reader->at < reader->end) {
		int r;

		if (++reader->n_fields > MESSAGE_FIELDS_MAX)
			return error_invalid(err, "%s: more than %u fields", type->short_name, MESSAGE_FIELDS_MAX);
		r = check_field(reader, type, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int message_check(const ProtobufCMessageDescriptor *type, struct message_bytes bytes, struct error *err)
{
	const uint8_t *data = bytes.data ?: ""; /* NULL + 0 is no address in C */
	struct reader reader = { .at = data, .end = data + bytes.length };

	return check_fields(&reader, type, err);
}

static void *allocate(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void ignore(void *arena, void *memory)
{
	(void)arena;
	(void)memory;
}

int message_unpack(const ProtobufCMessageDescriptor *type, struct message_bytes bytes, struct arena *arena, void **ret,
		   struct error *err)
{
	ProtobufCAllocator allocator = { .alloc = allocate, .free = ignore, .allocator_data = arena };
	ProtobufCMessage *message;
	int r = message_check(type, bytes, err);

	if (r < 0)
		return r;
	message = protobuf_c_message_unpack(type, &allocator, bytes.length, bytes.data);
	if (!message) {
		/* It does not say why. What is left to find wrong after the check: a known field of another wire type. */
		if (!arena_alloc(arena, 4096))
			return error_set(err, ERROR_INVALID, ENOMEM, "%s: takes too much memory", type->short_name);
		return error_invalid(err, "%s: malformed message", type->short_name);
	}
	*ret = message;
	return 0;
}

/* Into memory that was measured before: protobuf-c writes without a look at its end. */
void message_pack(const ProtobufCMessage *message, struct buffer *buffer)
{
	size_t size = protobuf_c_message_get_packed_size(message);

	if (buffer_reserve(buffer, size) < 0)
		return;
	protobuf_c_message_pack(message, (uint8_t *)buffer->data + buffer->length);
	buffer->length += size;
	buffer->data[buffer->length] = '\0';
}
