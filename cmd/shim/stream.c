#include "cmd/shim/stream.h"

#include <poll.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* Milliseconds. containerd writes what it has to say at once, and gives the whole start five seconds. */
#define SILENCE_MAX 3000
#define CHUNK ((size_t)16 * 1024)

/* Up to one byte over max: as much as is needed to see that it is too much. */
int stream_read_input(size_t max, struct buffer *buffer, struct error *err)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	if (isatty(STDIN_FILENO))
		return 0;
	while (buffer->length <= max) {
		size_t left = max + 1 - buffer->length;
		int ready = poll(&input, 1, SILENCE_MAX);
		ssize_t n;

		if (ready == 0 && buffer->length == 0)
			return 0;
		if (ready == 0)
			return error_set(
				err, ERROR_TIMEOUT, ETIMEDOUT,
				"stdin: nothing for %d ms after %zu bytes, and no end; close it after what is to be said",
				SILENCE_MAX, buffer->length);
		if (buffer_reserve(buffer, CHUNK) < 0)
			return error_memory(err);
		n = read(STDIN_FILENO, buffer->data + buffer->length, left < CHUNK ? left : CHUNK);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return error_system(err, errno, "read stdin");
		buffer->length += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int stream_write_answer(const struct buffer *answer, struct error *err)
{
	int r = answer->failed ?: fd_write_all(STDOUT_FILENO, answer->data, answer->length);

	return r < 0 ? error_system(err, -r, "write to stdout") : 0;
}
