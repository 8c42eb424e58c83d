#include "child/init_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child/handshake.h"

#define WAITING_MAX 128

/* A socket at address, sent and closed. what: for errors. */
static int listen_at(int init_fd, const struct sockaddr *address, socklen_t length, const char *what, struct error *err)
{
	AUTO_CLOSE int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0 || bind(fd, address, length) < 0 || listen(fd, WAITING_MAX) < 0)
		return error_system(err, errno, "listen at %s", what);
	rc = handshake_send(init_fd, HANDSHAKE_LISTENER, NULL, fd);
	return rc < 0 ? error_system(err, -rc, "hand the socket at %s over", what) : 0;
}

static int listen_at_port(const struct child_attendant *attendant, struct error *err)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(attendant->listen_port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char what[32];

	snprintf(what, sizeof(what), "127.0.0.1:%u", attendant->listen_port);
	return listen_at(attendant->init_fd, (const struct sockaddr *)&address, sizeof(address), what, err);
}

static int listen_at_path(const struct child_attendant *attendant, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(attendant->listen_path) >= sizeof(address.sun_path))
		return error_system(err, ENAMETOOLONG, "listen at %s", attendant->listen_path);
	strcpy(address.sun_path, attendant->listen_path);
	return listen_at(attendant->init_fd, (const struct sockaddr *)&address, sizeof(address), attendant->listen_path,
			 err);
}

int init_listen(const struct child_attendant *attendant, struct error *err)
{
	int rc = attendant->listen_port ? listen_at_port(attendant, err) : 0;

	return rc >= 0 && attendant->listen_path ? listen_at_path(attendant, err) : rc;
}
