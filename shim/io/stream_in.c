#include <sys/epoll.h>
#include <unistd.h>

#include "shim/io/stream.h"

/* Nanoseconds for what a peer sent on its own connection before somebody asked for the end on another one: it is in a local socket. */
#define END_TIMEOUT UINT64_C(1000000000)

/* Also where nobody reads the input any more: a peer that writes on is not to be blocked by that. */
static void allow_more(struct stream *stream)
{
	uint32_t missing = STREAM_WINDOW - stream->allowed;

	if (!stream->peer || stream->pending.length > 0 || missing < STREAM_WINDOW / 2)
		return;
	stream->allowed += missing;
	if (stream->peer->grant(stream->peer, missing) < 0) {
		stream->peer->stream = NULL;
		stream->peer = NULL;
	}
}

static void drop_pending(struct stream *stream)
{
	buffer_done(&stream->pending);
	stream->n_written = 0;
	loop_unwatch(stream->loop, &stream->watch);
}

static void close_input(struct stream *stream)
{
	stream->is_over = true;
	drop_pending(stream);
	loop_clear_timer(stream->loop, &stream->closing);
	close_and_reset(&stream->fd);
}

/* Returns how many bytes the pipe took, or a negative errno where it never takes any more. */
static ssize_t write_some(struct stream *stream, const char *bytes, size_t n)
{
	ssize_t written;

	do
		written = write(stream->fd, bytes, n);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return errno == EAGAIN ? 0 : -errno;
	return written;
}

static void handle_ready(void *context, uint32_t events)
{
	struct stream *stream = context;
	size_t left = stream->pending.length - stream->n_written;
	ssize_t n = write_some(stream, stream->pending.data + stream->n_written, left);

	(void)events;
	if (n >= 0) {
		stream->n_written += (size_t)n;
		if ((size_t)n < left)
			return;
		drop_pending(stream);
	}
	if (n < 0 || stream->has_input_end)
		close_input(stream);
	allow_more(stream);
	streams_settle(stream);
}

static void handle_end_timeout(void *context)
{
	stream_in_end(context);
}

void stream_in_begin(struct stream *stream)
{
	stream->watch.ready = handle_ready;
	stream->watch.context = stream;
	stream->closing.expired = handle_end_timeout;
	stream->closing.context = stream;
	stream->allowed = 0; /* each peer begins anew */
	allow_more(stream);
}

static int keep(struct stream *stream, const char *bytes, size_t n, struct error *err)
{
	buffer_append(&stream->pending, bytes, n);
	if (stream->pending.failed)
		return error_memory(err);
	if (stream->watch.is_active)
		return 0;
	return loop_watch(stream->loop, &stream->watch, stream->fd, EPOLLOUT, err);
}

int stream_in_take(struct stream *stream, const void *bytes, size_t n, struct error *err)
{
	ssize_t written = 0;
	int r = 0;

	if (n > stream->allowed)
		return error_invalid(err, "stream %s: %zu bytes of input, %u may come", stream->name, n, stream->allowed);
	if (stream->has_input_end)
		return error_invalid(err, "stream %s: input after its end", stream->name);
	stream->allowed -= (uint32_t)n;
	if (!stream->is_over && stream->pending.length == 0)
		written = write_some(stream, bytes, n);
	if (written < 0)
		close_input(stream);
	else if (!stream->is_over && (size_t)written < n)
		r = keep(stream, (const char *)bytes + written, n - (size_t)written, err);
	allow_more(stream);
	return r;
}

void stream_in_end(struct stream *stream)
{
	stream->has_input_end = true;
	if (stream->pending.length == 0 && !stream->is_over)
		close_input(stream);
}

void stream_in_end_soon(struct stream *stream)
{
	if (stream->is_over || stream->has_input_end)
		return;
	if (stream->peer)
		loop_set_timer(stream->loop, &stream->closing, loop_now() + END_TIMEOUT);
	else
		stream_in_end(stream);
}
