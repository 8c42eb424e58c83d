#include "shim/ttrpc/client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shim/ttrpc/connection.h"

struct client {
	struct loop *loop;
	struct connection *connection;
	bool is_connected;
	uint32_t last_stream_id;
	struct client_call *calls;
};

/* Off the list first: `done` may send the next one. */
static void end_call(struct client_call *call, const struct response *response, const struct error *err)
{
	struct client_call **place = &call->client->calls;

	while (*place != call)
		place = &(*place)->next;
	*place = call->next;
	loop_clear_timer(call->client->loop, &call->timer);
	call->done(call->context, response, err);
}

static struct client_call *find_call(const struct client *client, uint32_t stream_id)
{
	struct client_call *call = client->calls;

	while (call && call->stream_id != stream_id)
		call = call->next;
	return call;
}

static void expire_call(void *context)
{
	struct error err;

	error_set(&err, ERROR_TIMEOUT, ETIMEDOUT, "no answer in time");
	end_call(context, /* response= */ NULL, &err);
}

static void handle_frame(void *context, const struct frame_header *header, struct message_bytes body)
{
	struct client *client = context;
	struct client_call *call = find_call(client, header->stream_id);
	AUTO(arena_free) struct arena *arena = NULL;
	struct response response;
	struct error err = { 0 };
	int r = -ENOMEM;

	/* Answers to calls that ended by their time limit come late; streams of data are not asked for. */
	if (!call || header->type != FRAME_RESPONSE)
		return;
	arena = arena_new(MESSAGE_MEMORY(body.length));
	if (arena)
		r = response_parse(body, arena, &response, &err);
	else
		error_memory(&err);
	end_call(call, r < 0 ? NULL : &response, r < 0 ? &err : NULL);
}

static void handle_refused(void *context, const struct frame_header *header, const struct error *why)
{
	struct client_call *call = find_call(context, header->stream_id);

	if (call)
		end_call(call, /* response= */ NULL, why);
}

/* Everybody who waits hears of it, and nobody of more than one end. */
static void handle_closed(void *context, const struct error *why)
{
	struct client *client = context;

	client->is_connected = false;
	while (client->calls)
		end_call(client->calls, /* response= */ NULL, why);
}

int client_new(struct loop *loop, int fd, struct client **ret, struct error *err)
{
	static const struct connection_owner owner = {
		.frame = handle_frame,
		.refused = handle_refused,
		.closed = handle_closed,
	};
	AUTO(client_free) struct client *client = calloc(1, sizeof(*client));
	struct connection_options options = {
		.loop = loop,
		.peer = FRAME_FROM_SERVER,
		.owner = &owner,
		.context = client,
	};
	int flags = fcntl(fd, F_GETFL), r;

	if (!client)
		return error_memory(err);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_system(err, errno, "make a socket non-blocking");
	client->loop = loop;
	r = connection_new(&options, fd, &client->connection, err);
	if (r < 0)
		return r;
	client->is_connected = true;
	*ret = steal_ptr(&client);
	return 0;
}

/* A server whose queue is full answers EAGAIN at once: the caller has a pause of its own for that. */
int client_connect(struct loop *loop, const char *path, struct client **ret, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -EBADF;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_INVALID, ENAMETOOLONG, "%s: too long for a socket's path", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_system(err, errno, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(err, errno, "connect to %s", path);
	r = client_new(loop, fd, ret, err);
	if (r == 0)
		steal_fd(&fd);
	return r;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	for (struct client_call *call = client->calls; call; call = call->next)
		loop_clear_timer(client->loop, &call->timer);
	connection_free(client->connection);
	free(client);
}

bool client_is_connected(const struct client *client)
{
	return client->is_connected;
}

/* Ids are odd and rise. */
static int next_stream_id(struct client *client, uint32_t *ret, struct error *err)
{
	if (client->last_stream_id >= UINT32_MAX - 1)
		return error_set(err, ERROR_INTERNAL, EOVERFLOW, "the connection has no stream id left: connect anew");
	*ret = client->last_stream_id ? client->last_stream_id + 2 : 1;
	return 0;
}

int client_send(struct client *client, struct client_call *call, const struct request *request, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer body = { 0 };
	struct frame_header header = { .type = FRAME_REQUEST };
	int r = next_stream_id(client, &header.stream_id, err);

	if (r < 0)
		return r;
	if (!client->is_connected)
		return error_set(err, ERROR_SYSTEM, ENOTCONN, "the connection is closed");
	request_pack(request, &body);
	r = body.failed
		    ?: connection_send(client->connection, header,
				       (struct message_bytes){ .data = body.data, .length = body.length });
	if (r < 0)
		return error_system(err, -r, "send %s/%s", request->service, request->method);

	client->last_stream_id = header.stream_id;
	call->stream_id = header.stream_id;
	call->client = client;
	call->next = client->calls;
	client->calls = call;
	call->timer = (struct loop_timer){ .expired = expire_call, .context = call };
	if (request->timeout > 0)
		loop_set_timer(client->loop, &call->timer, loop_now() + (uint64_t)request->timeout);
	return 0;
}
