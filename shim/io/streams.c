#include "shim/io/streams.h"

#include <fcntl.h>
#include <string.h>

#include "shim/io/stream.h"

struct streams {
	struct loop *loop;
	const char *address;
	struct stream *first;
	size_t n;
};

int streams_new(struct loop *loop, const char *address, struct streams **ret, struct error *err)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return error_memory(err);
	streams->loop = loop;
	streams->address = address;
	*ret = streams;
	return 0;
}

static void free_stream(struct stream *stream)
{
	loop_unwatch(stream->loop, &stream->watch);
	loop_clear_timer(stream->loop, &stream->closing);
	close_and_reset(&stream->fd);
	buffer_done(&stream->pending);
	free(stream);
}

void streams_free(struct streams *streams)
{
	if (!streams)
		return;
	while (streams->first) {
		struct stream *stream = streams->first;

		streams->first = stream->next;
		if (stream->peer)
			stream->peer->stream = NULL;
		free_stream(stream);
	}
	free(streams);
}

void streams_settle(struct stream *stream)
{
	struct stream **link = &stream->streams->first;

	if (stream->peer || stream->is_open)
		return;
	while (*link != stream)
		link = &(*link)->next;
	*link = stream->next;
	stream->streams->n--;
	free_stream(stream);
}

static struct stream *find(const struct streams *streams, const char *name)
{
	struct stream *stream = streams->first;

	while (stream && strcmp(stream->name, name) != 0)
		stream = stream->next;
	return stream;
}

static int add(struct streams *streams, const char *name, struct stream **ret, struct error *err)
{
	struct stream *stream;

	if (!*name || strlen(name) > STREAM_NAME_MAX)
		return error_invalid(err, "a stream's name has 1 to %d bytes, and not %zu", STREAM_NAME_MAX,
				     strlen(name));
	if (streams->n == STREAMS_MAX)
		return error_set(err, ERROR_INTERNAL, ENOMEM, "%zu streams are open, %d are the most", streams->n,
				 STREAMS_MAX);
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return error_memory(err);
	stream->streams = streams;
	stream->loop = streams->loop;
	stream->fd = -EBADF;
	memcpy(stream->name, name, strlen(name));
	stream->next = streams->first;
	streams->first = stream;
	streams->n++;
	*ret = stream;
	return 0;
}

static void replace_peer(struct stream *stream)
{
	struct stream_peer *peer = stream->peer;

	stream->peer = NULL;
	stream->allowed = 0;
	if (!peer)
		return;
	peer->stream = NULL;
	peer->end(peer);
}

/* What a stream does once it has a use, or a new peer. */
static void begin(struct stream *stream)
{
	switch (stream->use) {
	case STREAM_UNUSED:
		return;
	case STREAM_OUT:
		stream_out_begin(stream);
		return;
	case STREAM_IN:
		stream_in_begin(stream);
		return;
	}
}

int streams_join(struct streams *streams, const char *name, struct stream_peer *peer, struct error *err)
{
	struct stream *stream = find(streams, name);
	int r = stream ? 0 : add(streams, name, &stream, err);

	if (r < 0)
		return r;
	replace_peer(stream);
	stream->peer = peer;
	peer->stream = stream;
	peer->joined(peer);
	begin(stream);
	return 0;
}

void streams_leave(struct stream_peer *peer)
{
	struct stream *stream = peer->stream;

	if (!stream)
		return;
	peer->stream = NULL;
	stream->peer = NULL;
	stream->allowed = 0;
	if (stream->use == STREAM_OUT)
		loop_unwatch(stream->loop, &stream->watch);
	streams_settle(stream);
}

static int refuse_left(struct error *err)
{
	return error_set(err, ERROR_STATE, EPIPE, "the stream is over");
}

int streams_allow(struct stream_peer *peer, int32_t n, struct error *err)
{
	struct stream *stream = peer->stream;

	if (!stream)
		return refuse_left(err);
	if (n <= 0)
		return error_invalid(err, "stream %s: a window that grows by %d", stream->name, n);
	if (stream->use == STREAM_IN)
		return error_invalid(err, "stream %s is the process's input: nothing is sent to its peer", stream->name);
	stream_out_allow(stream, (uint32_t)n);
	return 0;
}

int streams_take(struct stream_peer *peer, const void *bytes, size_t n, struct error *err)
{
	struct stream *stream = peer->stream;

	if (!stream)
		return refuse_left(err);
	if (stream->use != STREAM_IN)
		return error_invalid(err, "stream %s takes no input", stream->name);
	return stream_in_take(stream, bytes, n, err);
}

void streams_take_end(struct stream_peer *peer)
{
	if (peer->stream && peer->stream->use == STREAM_IN)
		stream_in_end(peer->stream);
}

static int find_named(const struct streams *streams, const struct stream_request *request, struct stream **ret,
		      struct error *err)
{
	const struct uri *uri = request->uri;
	AUTO_FREE char *query = strdup(uri->query ?: "");
	char *rest = query, *key, *value, *name = NULL;

	if (!query)
		return error_memory(err);
	if (strcmp(uri->path, streams->address) != 0)
		return error_invalid(err, "%s is a stream of %.200s, and not of this shim's own socket, %s",
				     request->what, uri->path, streams->address);
	while (uri_next_pair(&rest, &key, &value)) {
		if (strcmp(key, "streaming_id") == 0)
			name = value;
	}
	if (!name)
		return error_invalid(err, "%s: no streaming_id in \"%.200s\"", request->what, uri->query ?: "");
	*ret = find(streams, name);
	if (!*ret)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "%s: nobody has opened the stream %.300s", request->what,
				 name);
	if ((*ret)->use != STREAM_UNUSED)
		return error_set(err, ERROR_EXISTS, EEXIST, "%s: another process has the stream %.300s", request->what,
				 name);
	return 0;
}

static int open_pipe(enum stream_use use, int *ret_fd, struct endpoint *ret, struct error *err)
{
	AUTO(endpoint_done) struct endpoint ends = ENDPOINT_NONE;
	int r = endpoint_pipe(&ends, err);

	if (r < 0)
		return r;
	ends.is_fifo = true;
	if (use == STREAM_IN) {
		*ret_fd = steal_fd(&ends.write_fd);
	} else {
		*ret_fd = fcntl(ends.read_fd, F_DUPFD_CLOEXEC, 0);
		if (*ret_fd < 0)
			return error_system(err, errno, "duplicate a pipe");
	}
	*ret = ends;
	ends = ENDPOINT_NONE;
	return 0;
}

int streams_open(struct streams *streams, const struct stream_request *request, struct stream **ret,
		 struct endpoint *ret_end, struct error *err)
{
	struct stream *stream = NULL;
	int r = find_named(streams, request, &stream, err);

	if (r == 0)
		r = open_pipe(request->use, &stream->fd, ret_end, err);
	if (r < 0)
		return r;
	stream->use = request->use;
	stream->is_open = true;
	begin(stream);
	*ret = stream;
	return 0;
}

void streams_close_in(struct stream *stream)
{
	stream_in_end_soon(stream);
}

bool streams_is_unsent(const struct stream *stream)
{
	return stream && stream->use == STREAM_OUT && stream->peer && !stream->is_over;
}

void streams_release(struct stream *stream)
{
	if (!stream)
		return;
	stream->is_open = false;
	if (stream->use == STREAM_IN)
		replace_peer(stream);
	streams_settle(stream);
}
