#include "shim/ttrpc/frame_reader.h"

#include <string.h>

/* A buffer that a large message left behind is given back: a shim has to stay small for weeks. */
#define BODY_KEEP ((size_t)16 * 1024)

void frame_reader_init(struct frame_reader *reader, enum frame_sender sender)
{
	*reader = (struct frame_reader){ .sender = sender };
}

void frame_reader_done(struct frame_reader *reader)
{
	buffer_done(&reader->body);
}

/* Before the next frame, and not with the end of the last: its bytes are good until then. */
static void forget_body(struct frame_reader *reader)
{
	if (reader->body.failed || reader->body.capacity > BODY_KEEP)
		buffer_done(&reader->body);
	reader->body.length = 0;
	reader->body.limit = FRAME_LENGTH_MAX;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t take_header(struct frame_reader *reader, const uint8_t *data, size_t length)
{
	size_t taken = smaller(length, FRAME_HEADER_SIZE - reader->n_header_bytes);

	if (reader->n_header_bytes == 0)
		forget_body(reader);
	memcpy(reader->header_bytes + reader->n_header_bytes, data, taken);
	reader->n_header_bytes += taken;
	if (reader->n_header_bytes < FRAME_HEADER_SIZE)
		return taken;

	reader->n_header_bytes = 0;
	reader->header = frame_header_unpack(reader->header_bytes);
	reader->left = reader->header.length;
	reader->state = FRAME_READER_BODY;
	if (frame_header_check(&reader->header, reader->sender, &reader->error) < 0)
		reader->state = FRAME_READER_SKIP;
	return taken;
}

/* Memory grows with what came, never with what a header announces. */
static size_t take_body(struct frame_reader *reader, const uint8_t *data, size_t length)
{
	size_t taken = smaller(length, reader->left);

	if (reader->state == FRAME_READER_BODY) {
		buffer_append(&reader->body, data, taken);
		if (reader->body.failed) {
			error_memory(&reader->error);
			reader->state = FRAME_READER_SKIP;
		}
	}
	reader->left -= taken;
	return taken;
}

size_t frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t length,
			 enum frame_reader_event *ret_event)
{
	size_t taken = 0;

	if (reader->state == FRAME_READER_HEADER)
		taken = take_header(reader, data, length);
	if (reader->state != FRAME_READER_HEADER)
		taken += take_body(reader, data + taken, length - taken);

	*ret_event = FRAME_READER_MORE;
	if (reader->state != FRAME_READER_HEADER && reader->left == 0) {
		*ret_event = reader->state == FRAME_READER_BODY ? FRAME_READER_FRAME : FRAME_READER_REFUSED;
		reader->state = FRAME_READER_HEADER;
	}
	return taken;
}
