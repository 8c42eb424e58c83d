#include "cmd/metrics-http/server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/metrics-http/page.h"

#define ADDRESS_MAX 64
#define REQUEST_MEMORY ((size_t)16 * 1024) /* of one connection's request line and headers */
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The bytes are the response's own (MUST_COPY), since ours end with the call. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *text, size_t length)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", CONTENT_TYPE) == MHD_YES &&
	    MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return answer(connection, status, text, strlen(text));
}

/* lint: parameters: libmicrohttpd calls it so. */
static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			     const char *version, const char *upload, size_t *upload_size, void **state)
{
	const struct server_page *page = context;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct error err = { 0 };

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n");
	if (strcmp(url, "/metrics") != 0)
		return answer_text(connection, MHD_HTTP_NOT_FOUND, "there is /metrics alone\n");
	if (page_read(page->dir_fd, page->name, &text, &err) < 0) {
		/* What exactly is for the log: who asks need not know the node's paths. */
		log_warning("%s", err.message);
		return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "no metrics: is the timer of `brig metrics --output` on?\n");
	}
	return answer(connection, MHD_HTTP_OK, text.data ?: "", text.length);
}

struct server *server_start(const struct server_page *page, int listen_fd, struct error *err)
{
	struct MHD_Daemon *daemon;

	errno = 0;
	daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve,
				  (void *)(uintptr_t)page, MHD_OPTION_LISTEN_SOCKET, listen_fd,
				  MHD_OPTION_CONNECTION_LIMIT, SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
				  SERVER_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_MEMORY, MHD_OPTION_END);
	if (!daemon)
		error_set(err, ERROR_SYSTEM, errno ?: EIO, "start the HTTP server: %s", strerror(errno ?: EIO));
	return (struct server *)daemon;
}

void server_stop(struct server *server)
{
	if (server)
		MHD_stop_daemon((struct MHD_Daemon *)server);
}

/* "127.0.0.1:9717", "[::1]:9717" */
static int split(const char *address, char host[static ADDRESS_MAX], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
		address++;
		length -= 2;
	}
	if (length == 0 || length >= ADDRESS_MAX || !colon[1])
		return -EINVAL;
	memcpy(host, address, length);
	host[length] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int open_socket(const struct addrinfo *found, const char *address, struct error *err)
{
	AUTO_CLOSE int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
		return error_system(err, errno, "listen at %s", address);
	return steal_fd(&fd);
}

int server_listen(const char *address, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *found = NULL;
	char host[ADDRESS_MAX];
	const char *port;
	int fd;

	if (split(address, host, &port) < 0 || getaddrinfo(host, port, &hints, &found) != 0)
		return error_set(err, ERROR_USAGE, EINVAL,
				 "option --listen: \"%.100s\" is not ADDRESS:PORT in figures, such as 127.0.0.1:9717 or "
				 "[::1]:9717",
				 address);
	fd = open_socket(found, address, err);
	freeaddrinfo(found);
	return fd;
}
