#include "image/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define POOL_SIZE (64 * 1024) /* inflate takes about 10 KiB and a window of 32 KiB */
#define WITH_GZIP_HEADER (16 + MAX_WBITS)

struct gunzip {
	z_stream stream;
	bool complete;
	size_t used;
	_Alignas(16) uint8_t pool[POOL_SIZE];
};

static voidpf take_memory(voidpf opaque, uInt items, uInt size)
{
	struct gunzip *gunzip = opaque;
	size_t bytes = ((size_t)items * size + 15) & ~(size_t)15;
	uint8_t *memory = gunzip->pool + gunzip->used;

	if (bytes > sizeof(gunzip->pool) - gunzip->used)
		return Z_NULL;
	gunzip->used += bytes;
	return memory;
}

static void give_memory(voidpf opaque, voidpf address)
{
	(void)opaque;
	(void)address;
}

struct gunzip *gunzip_new(void)
{
	struct gunzip *gunzip = calloc(1, sizeof(*gunzip));

	if (!gunzip)
		return NULL;
	gunzip->stream = (z_stream){ .zalloc = take_memory, .zfree = give_memory, .opaque = gunzip };
	if (inflateInit2(&gunzip->stream, WITH_GZIP_HEADER) != Z_OK) {
		free(gunzip);
		return NULL;
	}
	return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
	free(gunzip);
}

int gunzip_step(struct gunzip *gunzip, struct window *window)
{
	z_stream *stream = &gunzip->stream;
	int rc;

	stream->next_in = (z_const Bytef *)window->in;
	stream->avail_in = (uInt)window->n_in;
	stream->next_out = window->out;
	stream->avail_out = (uInt)window->n_out;
	if (window->n_in > 0 && gunzip->complete) {
		gunzip->complete = false;
		if (inflateReset(stream) != Z_OK)
			return -EBADMSG;
	}
	rc = gunzip->complete ? Z_OK : inflate(stream, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return -EBADMSG;
	gunzip->complete = gunzip->complete || rc == Z_STREAM_END;
	*window = (struct window){ stream->next_in, stream->avail_in, stream->next_out, stream->avail_out };
	return 0;
}

bool gunzip_is_complete(const struct gunzip *gunzip)
{
	return gunzip->complete;
}
