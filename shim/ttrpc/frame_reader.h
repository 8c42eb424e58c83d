/* Frames out of a stream of bytes, however it is cut. Pure: no descriptor here. A message that is refused by its header is
 * skipped without being kept, so that the stream goes on behind it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "shim/ttrpc/frame.h"

enum frame_reader_state {
	FRAME_READER_HEADER,
	FRAME_READER_BODY,
	FRAME_READER_SKIP, /* the body of a refused message */
};

enum frame_reader_event {
	FRAME_READER_MORE,    /* all bytes taken, no frame complete */
	FRAME_READER_FRAME,   /* header and body hold a frame */
	FRAME_READER_REFUSED, /* header holds one that was skipped, error the reason */
};

struct frame_reader {
	enum frame_sender sender; /* who the bytes come from */
	enum frame_reader_state state;
	uint8_t header_bytes[FRAME_HEADER_SIZE];
	size_t n_header_bytes;
	size_t left; /* bytes of body to come */
	struct frame_header header;
	struct buffer body;
	struct error error;
};

void frame_reader_init(struct frame_reader *reader, enum frame_sender sender);
void frame_reader_done(struct frame_reader *reader);

/* Takes from data up to the end of one frame. Returns how many bytes were taken; *ret_event says what came of it. After
 * anything but FRAME_READER_MORE header, body and error are good until the next call. Memory: what was received of the body,
 * never what a header announces. Out of memory: FRAME_READER_REFUSED, with error.code ENOMEM. */
size_t frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t length,
			 enum frame_reader_event *ret_event);
