#include "shim/ttrpc/connection.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "shim/ttrpc/frame_reader.h"
#include "shim/ttrpc/output.h"

/* One read. Frames that are taken in when the output gets full wait in it. */
#define INPUT_SIZE 8192

/* What there is of one peer; 8 KiB of it are the one read. */
struct connection {
	struct loop *loop;
	const struct connection_owner *owner;
	void *context;
	int fd;
	struct loop_watch watch;
	struct loop_timer closing; /* due at once: `closed` is never called from within connection_send */
	uint32_t events;	   /* that are watched for */
	bool is_over;
	struct error why;
	struct frame_reader reader;
	struct output output;
	size_t n_input, n_taken;
	uint8_t input[INPUT_SIZE];
};

/* connection_send can be the owner's, in one of its callbacks: the end is told from the loop. */
static int fail(struct connection *connection, int code, const char *what)
{
	if (connection->is_over)
		return -connection->why.code;
	error_system(&connection->why, code, "%s", what);
	connection->is_over = true;
	loop_unwatch(connection->loop, &connection->watch);
	loop_set_timer(connection->loop, &connection->closing, loop_now());
	return -code;
}

/* From the loop, by the timer that is due at once: here the owner may free us. */
static void report_end(void *context)
{
	struct connection *connection = context;

	connection->owner->closed(connection->context, &connection->why);
}

/* What is worth waking up for. */
static void update_events(struct connection *connection)
{
	uint32_t wanted = 0;
	int r;

	if (connection->is_over)
		return;
	if (output_next(&connection->output).length > 0)
		wanted |= EPOLLOUT;
	if (!output_is_full(&connection->output))
		wanted |= EPOLLIN;
	if (wanted == connection->events)
		return;
	r = loop_rewatch(connection->loop, &connection->watch, wanted);
	if (r < 0)
		fail(connection, -r, "watch the connection");
	else
		connection->events = wanted;
}

static int flush(struct connection *connection)
{
	struct message_bytes next;

	while (!connection->is_over && (next = output_next(&connection->output)).length > 0) {
		ssize_t n = send(connection->fd, next.data, next.length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return fail(connection, errno, "write to the peer");
		output_advance(&connection->output, (size_t)n);
	}
	return 0;
}

/* Hands on the frames in the input, until the output is full. */
static void take_input(struct connection *connection)
{
	while (!connection->is_over && connection->n_taken < connection->n_input && !output_is_full(&connection->output)) {
		struct frame_reader *reader = &connection->reader;
		enum frame_reader_event event;
		struct frame_header header;

		connection->n_taken += frame_reader_feed(reader, connection->input + connection->n_taken,
							 connection->n_input - connection->n_taken, &event);
		header = reader->header;
		switch (event) {
		case FRAME_READER_MORE:
			break;
		case FRAME_READER_FRAME:
			connection->owner->frame(connection->context, &header,
						 (struct message_bytes){ .data = reader->body.data,
									 .length = reader->body.length });
			break;
		case FRAME_READER_REFUSED:
			connection->owner->refused(connection->context, &header, &reader->error);
			break;
		}
	}
}

/* One read a turn, so that no peer has the loop for itself. Descriptors that a peer sends along are dropped by the kernel. */
static void receive(struct connection *connection)
{
	ssize_t n = recv(connection->fd, connection->input, sizeof(connection->input), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail(connection, errno, "read from the peer");
		return;
	}
	if (n == 0) {
		fail(connection, ECONNRESET, "the peer closed the connection");
		return;
	}
	connection->n_input = (size_t)n;
	connection->n_taken = 0;
	take_input(connection);
}

static void handle_ready(void *context, uint32_t events)
{
	struct connection *connection = context;

	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		flush(connection);
	take_input(connection);
	if (!connection->is_over && connection->n_taken == connection->n_input &&
	    !output_is_full(&connection->output) && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(connection);
	update_events(connection);
}

int connection_new(const struct connection_options *options, int fd, struct connection **ret, struct error *err)
{
	AUTO(connection_free) struct connection *connection = calloc(1, sizeof(*connection));
	int r;

	if (!connection)
		return error_memory(err);
	connection->loop = options->loop;
	connection->owner = options->owner;
	connection->context = options->context;
	connection->fd = -EBADF;
	connection->watch = (struct loop_watch){ .ready = handle_ready, .context = connection };
	connection->closing = (struct loop_timer){ .expired = report_end, .context = connection };
	connection->events = EPOLLIN;
	frame_reader_init(&connection->reader, options->peer);

	r = loop_watch(options->loop, &connection->watch, fd, EPOLLIN, err);
	if (r < 0)
		return r;
	connection->fd = fd;
	*ret = steal_ptr(&connection);
	return 0;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	loop_unwatch(connection->loop, &connection->watch);
	loop_clear_timer(connection->loop, &connection->closing);
	close_and_reset(&connection->fd);
	frame_reader_done(&connection->reader);
	output_done(&connection->output);
	free(connection);
}

/* Writes at once where it can: an answer should not wait for the next turn of the loop. */
int connection_send(struct connection *connection, struct frame_header header, struct message_bytes body)
{
	int r;

	if (connection->is_over)
		return -connection->why.code;
	r = output_add(&connection->output, header, body);
	if (r == -EMSGSIZE)
		return r;
	if (r < 0)
		return fail(connection, -r, "queue for the peer, which does not read");
	/* While epoll waits for the socket to take more, a try would be in vain. */
	if (!(connection->events & EPOLLOUT))
		r = flush(connection);
	update_events(connection);
	return r;
}
