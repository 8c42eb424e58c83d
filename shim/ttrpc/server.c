#include "shim/ttrpc/server.h"

#include <sys/epoll.h>

#include "base/log.h"
#include "shim/ttrpc/listener.h"
#include "shim/ttrpc/session.h"

/* Nanoseconds without accepting, where there is no descriptor left to do so: the peer waits, and epoll does not spin. */
#define ACCEPT_PAUSE UINT64_C(100000000)
/* Who has not closed a connection whose stream ended so long ago does not close it for that. */
#define READER_TIME UINT64_C(5000000000)

struct server {
	struct server_options options;
	int listen_fd;
	struct loop_watch watch;
	struct loop_timer pause;
	struct session *sessions[SERVER_CONNECTIONS_MAX]; /* made at first use, kept: their generations count on */
};

static void resume_accepting(void *context)
{
	struct server *server = context;

	loop_rewatch(server->options.loop, &server->watch, EPOLLIN);
}

/* The listening socket stays readable for as long as somebody waits there. */
static void pause_accepting(struct server *server)
{
	loop_rewatch(server->options.loop, &server->watch, 0);
	loop_set_timer(server->options.loop, &server->pause, loop_now() + ACCEPT_PAUSE);
}

/* The first one that is free: there is memory for as many as were ever open at a time, two or three mostly. */
static struct session *find_free(struct server *server)
{
	for (uint32_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		struct session *session = server->sessions[i];

		if (session && !session->connection)
			return session;
		if (session)
			continue;
		session = calloc(1, sizeof(*session));
		if (!session)
			return NULL;
		session->options = &server->options;
		session->slot = i;
		return server->sessions[i] = session;
	}
	return NULL;
}

static void handle_listen(void *context, uint32_t events)
{
	struct server *server = context;
	AUTO_CLOSE int fd = listener_accept(server->listen_fd);
	struct error err = { 0 };
	struct session *session;

	(void)events;
	if (fd == -EACCES)
		log_warning("refused a connection: the peer is not root");
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS)
		pause_accepting(server);
	if (fd < 0)
		return;
	session = find_free(server);
	if (!session)
		log_warning("refused a connection: %d are open already", SERVER_CONNECTIONS_MAX);
	else if (session_open(session, fd, &err) < 0)
		log_warning("lost a connection: %s", err.message);
	else
		steal_fd(&fd);
}

int server_new(const struct server_options *options, int listen_fd, struct server **ret, struct error *err)
{
	AUTO(server_free) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_memory(err);
	server->options = *options;
	server->listen_fd = -EBADF;
	server->watch = (struct loop_watch){ .ready = handle_listen, .context = server };
	server->pause = (struct loop_timer){ .expired = resume_accepting, .context = server };
	r = loop_watch(options->loop, &server->watch, listen_fd, EPOLLIN, err);
	if (r < 0)
		return r;
	server->listen_fd = listen_fd;
	*ret = steal_ptr(&server);
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	loop_unwatch(server->options.loop, &server->watch);
	loop_clear_timer(server->options.loop, &server->pause);
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		if (server->sessions[i])
			session_close(server->sessions[i]);
		free(server->sessions[i]);
	}
	close_and_reset(&server->listen_fd);
	free(server);
}

size_t server_n_connections(const struct server *server)
{
	size_t n = 0;

	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		n += server->sessions[i] && server->sessions[i]->connection;
	return n;
}

bool server_has_reader(const struct server *server)
{
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		const struct session *session = server->sessions[i];

		if (session && session->connection && session->calls.n == 0 && session->stream_ended &&
		    loop_now() - session->stream_ended < READER_TIME)
			return true;
	}
	return false;
}

/* NULL: the connection is gone, even where its slot is in use again. */
static struct session *session_of(const struct server *server, struct server_call call)
{
	struct session *session = call.slot < SERVER_CONNECTIONS_MAX ? server->sessions[call.slot] : NULL;

	return session && session->connection && session->generation == call.generation ? session : NULL;
}

/* The one way out for answers of all kinds. */
static int respond(struct server *server, struct server_call call, struct response response)
{
	struct session *session = session_of(server, call);

	return session ? session_answer(session, call.stream_id, &response) : -ENOENT;
}

int server_answer(struct server *server, struct server_call call, struct message_bytes payload)
{
	return respond(server, call, (struct response){ .code = STATUS_OK, .payload = payload });
}

int server_answer_message(struct server *server, struct server_call call, const ProtobufCMessage *message)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
	struct error err;

	message_pack(message, &packed);
	if (packed.failed) {
		error_memory(&err);
		return server_refuse(server, call, &err);
	}
	return server_answer(server, call, (struct message_bytes){ .data = packed.data, .length = packed.length });
}

int server_refuse(struct server *server, struct server_call call, const struct error *err)
{
	return server_refuse_with(server, call, status_from_error(err), err->message);
}

int server_refuse_with(struct server *server, struct server_call call, enum status_code code, const char *message)
{
	return respond(server, call, (struct response){ .code = code, .message = message });
}

int server_send_data(struct server *server, struct server_call call, struct message_bytes payload, bool is_last)
{
	struct session *session = session_of(server, call);

	return session ? session_send_data(session, call.stream_id, payload, is_last) : -ENOENT;
}
