#include "shim/ttrpc/output.h"

#include <string.h>

/* A queue that grew larger gives its memory back once it is empty. */
#define KEEP ((size_t)16 * 1024)

static size_t waiting(const struct output *output)
{
	return output->bytes.length - output->n_sent;
}

void output_done(struct output *output)
{
	buffer_done(&output->bytes);
	output->n_sent = 0;
}

/* Without this a queue that is never quite empty would grow forever. Half is sent: each byte is moved once. */
static void drop_sent(struct output *output)
{
	if (output->n_sent < output->bytes.length / 2 || output->n_sent == 0)
		return;
	memmove(output->bytes.data, output->bytes.data + output->n_sent, waiting(output));
	output->bytes.length = waiting(output);
	output->n_sent = 0;
}

int output_add(struct output *output, struct frame_header header, struct message_bytes body)
{
	uint8_t packed[FRAME_HEADER_SIZE];
	int r;

	if (body.length > FRAME_LENGTH_MAX)
		return -EMSGSIZE;
	if (waiting(output) + sizeof(packed) + body.length > OUTPUT_MAX)
		return -ENOBUFS;
	drop_sent(output);
	output->bytes.failed = 0;
	r = buffer_reserve(&output->bytes, sizeof(packed) + body.length);
	if (r < 0)
		return r;
	header.length = (uint32_t)body.length;
	frame_header_pack(&header, packed);
	buffer_append(&output->bytes, packed, sizeof(packed));
	if (body.length > 0)
		buffer_append(&output->bytes, body.data, body.length);
	return 0;
}

struct message_bytes output_next(const struct output *output)
{
	if (waiting(output) == 0)
		return (struct message_bytes){ 0 };
	return (struct message_bytes){ .data = output->bytes.data + output->n_sent, .length = waiting(output) };
}

void output_advance(struct output *output, size_t n)
{
	output->n_sent += n;
	if (waiting(output) > 0)
		return;
	if (output->bytes.capacity > KEEP)
		buffer_done(&output->bytes);
	output->bytes.length = 0;
	output->n_sent = 0;
}

bool output_is_full(const struct output *output)
{
	return waiting(output) > OUTPUT_MARK;
}
