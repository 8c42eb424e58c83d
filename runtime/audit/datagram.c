#include "audit/datagram.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

#define ROOM_TIMEOUT_MS 50

static int send_message(int fd, const void *message, size_t length)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	if (send(fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN || poll(&polled, 1, ROOM_TIMEOUT_MS) <= 0)
		return -errno;
	return send(fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int datagram_send(const char *socket_path, const void *message, size_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return send_message(fd, message, length);
}
