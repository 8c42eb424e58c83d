#include "container/notification.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

int notification_control(int listener_fd, unsigned long request, void *argument)
{
	int r;

	do
		r = ioctl(listener_fd, request, argument);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Receiving blocks where nothing waits, hence the question first. */
int notification_receive(int listener_fd, union notification *ret)
{
	struct pollfd waiting = { .fd = listener_fd, .events = POLLIN };
	int r = poll(&waiting, 1, 0);

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (waiting.revents & POLLNVAL)
		return -EBADF;
	/* POLLERR alone is a signal that came while the kernel waited for a lock: next time. */
	if (!(waiting.revents & POLLIN))
		return waiting.revents & POLLHUP ? -EPIPE : 0;
	memset(ret, 0, sizeof(*ret)); /* or the kernel refuses */
	r = notification_control(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, ret);
	/* Killed in between. */
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

static int answer(int listener_fd, struct seccomp_notif_resp *response)
{
	int r = notification_control(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, response);

	return r < 0 && r != -ENOENT ? r : 0;
}

int notification_fail(int listener_fd, uint64_t id, int errnum)
{
	struct seccomp_notif_resp response = { .id = id, .error = -errnum };

	return answer(listener_fd, &response);
}

int notification_let_pass(int listener_fd, uint64_t id)
{
	struct seccomp_notif_resp response = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return answer(listener_fd, &response);
}
