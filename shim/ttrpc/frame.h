/* The header before each ttrpc message: ten bytes, big-endian. Pure. Source: ttrpc's protocol document. */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define FRAME_HEADER_SIZE 10
#define FRAME_LENGTH_MAX (4U * 1024 * 1024) /* bytes of message that the protocol allows */

enum frame_type {
	FRAME_REQUEST = 1,
	FRAME_RESPONSE = 2,
	FRAME_DATA = 3,
};

enum frame_flag {
	FRAME_REMOTE_CLOSED = 1, /* the sender will send no more on this stream */
	FRAME_REMOTE_OPEN = 2,	 /* a request that data follows */
	FRAME_NO_DATA = 4,	 /* the length of 0 means no message, not an empty one */
};

/* Who sent a frame: a client starts streams, a server answers them. */
enum frame_sender { FRAME_FROM_CLIENT, FRAME_FROM_SERVER };

struct frame_header {
	uint32_t length; /* bytes that follow */
	uint32_t stream_id;
	uint8_t type;  /* enum frame_type */
	uint8_t flags; /* enum frame_flag */
};

/* Any ten bytes are some header: no check. */
struct frame_header frame_header_unpack(const uint8_t bytes[FRAME_HEADER_SIZE]);
void frame_header_pack(const struct frame_header *header, uint8_t ret[FRAME_HEADER_SIZE]);
/* Whether sender may send such a frame. Returns 0; -EMSGSIZE for a message above FRAME_LENGTH_MAX; -EINVAL for a type, flag
 * or stream id that makes no sense; with err set. */
int frame_header_check(const struct frame_header *header, enum frame_sender sender, struct error *err);
