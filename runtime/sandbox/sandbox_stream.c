#include "sandbox/sandbox_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* The most that the kernel gives to an ordinary user's pipe (/proc/sys/fs/pipe-max-size). */
#define PIPE_LARGE (1024 * 1024)
/* Who writes that much may write more: a larger pipe has fewer turns. */
#define MUCH ((uint64_t)64 * 1024)
#define READ_FIRST ((size_t)16 * 1024)
#define READ_MOST ((size_t)256 * 1024)
/* What a pipe or terminal that poll(2) finds writable takes without waiting: PIPE_BUF. */
#define COPY_SIZE 4096

int sandbox_stream_open(struct sandbox_stream *stream, int *ret_fd, struct error *err)
{
	int fds[2], ours = stream->is_input ? 1 : 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe");
	stream->fd = fds[ours];
	*ret_fd = fds[!ours];
	if (fcntl(stream->fd, F_SETFL, O_NONBLOCK) < 0)
		return error_system(err, errno, "make a pipe's end non-blocking");
	return 0;
}

void sandbox_stream_close(struct sandbox_stream *stream)
{
	close_and_reset(&stream->fd);
}

struct pollfd sandbox_stream_poll(const struct sandbox_stream *stream)
{
	bool reads = stream->is_input == stream->peer_is_due;

	return (struct pollfd){ .fd = stream->peer_is_due && stream->fd >= 0 ? stream->peer_fd : stream->fd,
				.events = reads ? POLLIN : POLLOUT };
}

/* How the last attempt went. */
enum outcome { MOVED, WAITS, OVER };

static enum outcome outcome_of(ssize_t n)
{
	if (n > 0)
		return MOVED;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? WAITS : OVER;
}

static enum outcome keep(struct sandbox_stream *stream, size_t room)
{
	struct buffer *data = &stream->output->data;
	size_t most = data->length > READ_FIRST ? READ_MOST : READ_FIRST;
	ssize_t n;

	if (room > most)
		room = most;
	if (buffer_reserve(data, room) < 0)
		return OVER;
	n = read(stream->fd, data->data + data->length, room);
	if (n > 0) {
		data->length += (size_t)n;
		data->data[data->length] = '\0';
		stream->output->bytes += (uint64_t)n;
	}
	return outcome_of(n);
}

/* A reader that is gone is what the program is to see, as if there were no sandbox. A disk that is full is ours to tell. */
static void note_failure(struct sandbox_stream *stream, int code)
{
	if (stream->output && code != EPIPE && code != ECONNRESET)
		stream->failure = code;
}

/* For a terminal, a socket, a file that is appended to. */
static enum outcome copy(struct sandbox_stream *stream, int from_fd, int to_fd, size_t room)
{
	char bytes[COPY_SIZE];
	ssize_t n = read(from_fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	int rc;

	if (n <= 0)
		return outcome_of(n);
	if (stream->output)
		stream->output->bytes += (uint64_t)n;
	rc = fd_write_all(to_fd, bytes, (size_t)n);
	if (rc < 0)
		note_failure(stream, -rc);
	return rc < 0 ? OVER : MOVED;
}

static enum outcome pass(struct sandbox_stream *stream, size_t room)
{
	int from_fd = stream->is_input ? stream->peer_fd : stream->fd;
	int to_fd = stream->is_input ? stream->fd : stream->peer_fd;
	ssize_t n;

	if (stream->copies)
		return copy(stream, from_fd, to_fd, room);
	n = splice(from_fd, NULL, to_fd, NULL, room, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	/* EBADF: who reads it closed his end before brig began, which is a failure where there is something to write. */
	if (n < 0 && (errno == EINVAL || errno == EBADF)) {
		stream->copies = true;
		return WAITS;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		note_failure(stream, errno);
	if (n > 0 && stream->output)
		stream->output->bytes += (uint64_t)n;
	return outcome_of(n);
}

/* One byte beyond the bound tells. */
static enum outcome look_beyond(struct sandbox_stream *stream)
{
	char byte;
	ssize_t n = read(stream->fd, &byte, 1);

	if (n > 0) {
		stream->output->truncated = true;
		return OVER;
	}
	return outcome_of(n);
}

static enum outcome move_some(struct sandbox_stream *stream)
{
	uint64_t room = stream->is_input ? PIPE_LARGE : stream->limit - stream->output->bytes;

	if (room == 0)
		return look_beyond(stream);
	if (room > PIPE_LARGE)
		room = PIPE_LARGE;
	return stream->peer_fd >= 0 ? pass(stream, (size_t)room) : keep(stream, (size_t)room);
}

static bool is_ready(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };

	return poll(&polled, 1, 0) > 0;
}

void sandbox_stream_serve(struct sandbox_stream *stream)
{
	short wanted = stream->is_input ? POLLIN : POLLOUT;

	if (stream->fd < 0)
		return;
	/* One end is; the other has to be as well, or nothing can move. */
	if (stream->peer_fd >= 0 && !stream->peer_is_due && !is_ready(stream->peer_fd, wanted)) {
		stream->peer_is_due = true;
		return;
	}
	stream->peer_is_due = false;
	if (move_some(stream) == OVER)
		sandbox_stream_close(stream);
	else if (stream->output && stream->output->bytes >= MUCH && !stream->is_large)
		stream->is_large = fcntl(stream->fd, F_SETPIPE_SZ, PIPE_LARGE) >= 0;
}

bool sandbox_stream_drain(struct sandbox_stream *stream)
{
	enum outcome outcome = MOVED;

	while (stream->fd >= 0 && outcome != OVER) {
		bool retries = stream->copies;

		outcome = move_some(stream);
		if (outcome != WAITS || stream->copies != retries)
			continue;
		/* The writers are gone: an empty pipe is at its end, and only who reads can be waited for. */
		if (stream->peer_fd >= 0 && is_ready(stream->fd, POLLIN))
			return true;
		break;
	}
	sandbox_stream_close(stream);
	return false;
}
