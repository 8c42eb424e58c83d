#include "shim/ttrpc/frame.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* By memcpy: the bytes lie anywhere. */
struct frame_header frame_header_unpack(const uint8_t bytes[FRAME_HEADER_SIZE])
{
	uint32_t length, stream_id;

	memcpy(&length, bytes, sizeof(length));
	memcpy(&stream_id, bytes + 4, sizeof(stream_id));
	return (struct frame_header){
		.length = be32toh(length),
		.stream_id = be32toh(stream_id),
		.type = bytes[8],
		.flags = bytes[9],
	};
}

void frame_header_pack(const struct frame_header *header, uint8_t ret[FRAME_HEADER_SIZE])
{
	uint32_t length = htobe32(header->length), stream_id = htobe32(header->stream_id);

	memcpy(ret, &length, sizeof(length));
	memcpy(ret + 4, &stream_id, sizeof(stream_id));
	ret[8] = header->type;
	ret[9] = header->flags;
}

static int check_type(const struct frame_header *header, enum frame_sender sender, struct error *err)
{
	static const struct {
		bool is_sent_by[2]; /* enum frame_sender */
		uint8_t flags;
	} rules[] = {
		[FRAME_REQUEST] = { { true, false }, FRAME_REMOTE_CLOSED | FRAME_REMOTE_OPEN },
		[FRAME_RESPONSE] = { { false, true }, 0 },
		[FRAME_DATA] = { { true, true }, FRAME_REMOTE_CLOSED | FRAME_NO_DATA },
	};

	if (header->type >= ARRAY_SIZE(rules) || !rules[header->type].is_sent_by[sender])
		return error_invalid(err, "message type %u: a %s does not send that", header->type,
				     sender == FRAME_FROM_CLIENT ? "client" : "server");
	if (header->flags & ~rules[header->type].flags)
		return error_invalid(err, "flags 0x%02x of a message of type %u: expected none but 0x%02x",
				     header->flags, header->type, rules[header->type].flags);
	if (header->flags & FRAME_NO_DATA && header->length > 0)
		return error_invalid(err, "length %u of a message that says it has no data", header->length);
	return 0;
}

/* The length first: of a message that is too long the rest is skipped, so it has to be known for what it is. */
int frame_header_check(const struct frame_header *header, enum frame_sender sender, struct error *err)
{
	if (header->length > FRAME_LENGTH_MAX)
		return error_set(err, ERROR_INVALID, EMSGSIZE, "message length %u exceeds the maximum of %u bytes",
				 header->length, FRAME_LENGTH_MAX);
	/* Streams are the client's to start: the even ids are reserved. */
	if (header->stream_id % 2 == 0)
		return error_invalid(err, "stream id %u: a client's streams have odd ids", header->stream_id);
	return check_type(header, sender, err);
}
