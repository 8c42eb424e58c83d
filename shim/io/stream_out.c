#include <sys/epoll.h>
#include <unistd.h>

#include "shim/io/stream.h"

#define PIECE 16384  /* of one message */
#define ROUNDS_MAX 4 /* then others have their turn */

/* The peer's connection has gone, or has all: the name stays for another. */
static void leave(struct stream *stream)
{
	stream->peer->stream = NULL;
	stream->peer = NULL;
}

/* All writers have closed the pipe, and it is empty. */
static void end(struct stream *stream)
{
	struct stream_peer *peer = stream->peer;

	stream->is_over = true;
	loop_unwatch(stream->loop, &stream->watch);
	close_and_reset(&stream->fd);
	leave(stream);
	peer->end(peer);
}

/* Returns whether there may be more. */
static bool send_piece(struct stream *stream)
{
	char bytes[PIECE];
	ssize_t n = read(stream->fd, bytes, stream->allowed < PIECE ? stream->allowed : PIECE);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		end(stream);
		return false;
	}
	stream->allowed -= (uint32_t)n;
	if (stream->peer->send(stream->peer, bytes, (size_t)n) < 0)
		leave(stream);
	return stream->peer && stream->allowed > 0;
}

/* A pipe that nobody may be sent from is not watched: its hang-up would be told again and again. */
static void update_watch(struct stream *stream)
{
	bool wanted = stream->peer && stream->allowed > 0 && !stream->is_over;

	if (!wanted)
		loop_unwatch(stream->loop, &stream->watch);
	else if (!stream->watch.is_active && loop_watch(stream->loop, &stream->watch, stream->fd, EPOLLIN, NULL) < 0)
		end(stream); /* without memory for it: the peer sees an end rather than silence */
}

static void handle_ready(void *context, uint32_t events)
{
	struct stream *stream = context;

	(void)events;
	for (int i = 0; i < ROUNDS_MAX && send_piece(stream); i++)
		;
	update_watch(stream);
	streams_settle(stream);
}

void stream_out_begin(struct stream *stream)
{
	stream->watch = (struct loop_watch){ .ready = handle_ready, .context = stream };
	if (stream->is_over && stream->peer)
		end(stream);
	else
		update_watch(stream); /* it may have allowed something before anybody knew what the stream is for */
}

void stream_out_allow(struct stream *stream, uint32_t n)
{
	uint32_t room = STREAM_AHEAD_MAX - stream->allowed;

	stream->allowed += n < room ? n : room;
	if (stream->use == STREAM_OUT)
		update_watch(stream);
}
