#include "proxy/serve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "proxy/connection.h"

#define FIRST_CLIENT (1 + SERVE_LISTENERS_MAX)
/* No descriptor, or no memory, for a client who stays in the queue: poll(2) would tell of him at once, again and again. */
#define PAUSE_MS 100
#define N_POLLED (FIRST_CLIENT + 2 * SERVE_CLIENTS_MAX)

struct serve {
	const struct reach_settings *settings;
	int *listen_fds;
	size_t n_listeners, n_clients, n_requests;
	int control_fd;
	uint64_t paused_until; /* milliseconds; 0: clients are taken */
	struct connection clients[SERVE_CLIENTS_MAX];
};

/* One packet (SOCK_SEQPACKET): all of a record, or an error. The other side is brig, which writes the trail; if it is gone,
 * nothing goes on unrecorded. */
static int report(const struct serve *serve, const struct outcome_report *report)
{
	ssize_t n;

	do {
		n = send(serve->control_fd, report, sizeof(*report), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == sizeof(*report) ? 0 : -EIO;
}

static int end_client(struct serve *serve, struct connection *client)
{
	struct outcome_report said;

	connection_end(client, &said);
	serve->n_clients--;
	return report(serve, &said);
}

/* The bound on requests is for the sandbox's whole life: a program that makes a connection after the other fills the trail
 * otherwise. */
static int close_listeners(struct serve *serve)
{
	const struct outcome_report said = { .outcome = OUTCOME_TOO_MANY };

	for (size_t i = 0; i < serve->n_listeners; i++)
		close_and_reset(&serve->listen_fds[i]);
	return report(serve, &said);
}

/* Other errors (ECONNABORTED) are the client's own, who has gone away again (accept(2)). */
static int take_client(struct serve *serve, int listen_fd, uint64_t now)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t i = 0;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			serve->paused_until = now + PAUSE_MS;
		return 0;
	}
	while (serve->clients[i].state != CONNECTION_NONE)
		i++;
	serve->n_clients++;
	connection_begin(&serve->clients[i], fd, serve->settings, now);
	return ++serve->n_requests == SERVE_REQUESTS_MAX ? close_listeners(serve) : 0;
}

/* Milliseconds to the next deadline, for poll(2). */
static int fill(const struct serve *serve, struct pollfd polled[static N_POLLED], uint64_t now)
{
	bool is_paused = now < serve->paused_until;
	uint64_t next = is_paused ? serve->paused_until : UINT64_MAX;

	polled[0] = (struct pollfd){ .fd = serve->control_fd, .events = POLLIN };
	for (size_t i = 0; i < SERVE_LISTENERS_MAX; i++) {
		bool has_room = i < serve->n_listeners && serve->n_clients < SERVE_CLIENTS_MAX && !is_paused;

		polled[1 + i] = (struct pollfd){ .fd = has_room ? serve->listen_fds[i] : -1, .events = POLLIN };
	}
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
		const struct connection *client = &serve->clients[i];

		connection_poll(client, &polled[FIRST_CLIENT + 2 * i]);
		if (client->state != CONNECTION_NONE && connection_deadline(client) < next)
			next = connection_deadline(client);
	}
	if (next == UINT64_MAX)
		return -1;
	next = next > now ? next - now : 0;
	return next > INT_MAX ? INT_MAX : (int)next;
}

static int serve_clients(struct serve *serve, const struct pollfd polled[static N_POLLED], uint64_t now)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < SERVE_CLIENTS_MAX; i++) {
		struct connection *client = &serve->clients[i];
		const struct pollfd *mine = &polled[FIRST_CLIENT + 2 * i];

		if (client->state == CONNECTION_NONE ||
		    (!mine[0].revents && !mine[1].revents && now < connection_deadline(client)))
			continue;
		connection_go_on(client, now);
		if (client->state == CONNECTION_OVER)
			rc = end_client(serve, client);
	}
	return rc;
}

static int go_round(struct serve *serve, struct pollfd polled[static N_POLLED])
{
	int rc = poll(polled, N_POLLED, fill(serve, polled, (uint64_t)clock_ms()));
	uint64_t now = (uint64_t)clock_ms();

	if (rc < 0)
		return errno == EINTR ? 0 : -EIO;
	rc = serve_clients(serve, polled, now);
	for (size_t i = 0; rc == 0 && i < serve->n_listeners; i++) {
		if (polled[1 + i].revents && serve->listen_fds[i] >= 0 && serve->n_clients < SERVE_CLIENTS_MAX)
			rc = take_client(serve, serve->listen_fds[i], now);
	}
	return rc;
}

int serve_run(const struct reach_settings *settings, int *listen_fds, size_t n_listeners, int control_fd)
{
	AUTO_FREE struct serve *serve = calloc(1, sizeof(*serve));
	struct pollfd polled[N_POLLED];
	int rc = serve ? 0 : -ENOMEM;

	if (rc < 0)
		return rc;
	serve->settings = settings;
	serve->listen_fds = listen_fds;
	serve->n_listeners = n_listeners;
	serve->control_fd = control_fd;
	polled[0].revents = 0;
	while (rc == 0 && !polled[0].revents)
		rc = go_round(serve, polled);
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
		if (serve->clients[i].state != CONNECTION_NONE && end_client(serve, &serve->clients[i]) < 0)
			rc = -EIO;
	}
	return rc;
}
