#include "container/console_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/fd.h"

static int copy_supervisors(int console_fd, struct console_ends *ret, struct error *err)
{
	ret->console_fd = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
	return ret->console_fd < 0 ? error_system(err, errno, "copy the supervisor's console socket %d", console_fd) : 0;
}

static int connect_to(const char *path, struct console_ends *ret, struct error *err)
{
	ret->console_fd = fd_connect(path, FD_CONNECT_TIMEOUT_MS);
	return ret->console_fd < 0 ? error_system(err, -ret->console_fd, "--console-socket: connect to %s", path) : 0;
}

static int make_pair(struct console_ends *ret, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_system(err, errno, "socketpair");
	ret->console_fd = fds[0];
	ret->master_socket_fd = fds[1];
	return 0;
}

int console_ends_open(const struct console_wish *wish, struct console_ends *ret, struct error *err)
{
	int given_fd = wish->supervisor ? wish->supervisor->console_fd : -EBADF;

	if (!wish->terminal && wish->path)
		return error_set(err, ERROR_USAGE, EINVAL, "--console-socket is given, but process.terminal is false");
	if (!wish->terminal && given_fd >= 0)
		return error_invalid(err, "the supervisor asks for a terminal, but process.terminal is false");
	if (!wish->terminal)
		return 0;
	if (given_fd >= 0)
		return copy_supervisors(given_fd, ret, err);
	if (wish->path)
		return connect_to(wish->path, ret, err);
	if (wish->foreground)
		return make_pair(ret, err);
	return error_set(err, ERROR_USAGE, EINVAL,
			 "process.terminal is true and nobody would hold the terminal: give --console-socket");
}
