/* The end of what was begun: of a process that is not to live, and of what the caller has of it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "parent/birth.h"
#include "parent/net_devices.h"

#define ABORT_TIMEOUT_MS 10000 /* for a killed process to end: not, while the kernel sleeps uninterruptibly for it */

static bool ends_within(int timeout_ms, int pidfd)
{
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };
	int64_t deadline = clock_ms() + timeout_ms, left = timeout_ms;

	while (poll(&polled, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR)
		left = deadline - clock_ms();
	return polled.revents;
}

void birth_abort(struct birth *birth)
{
	siginfo_t info;

	if (birth->pidfd >= 0) {
		sys_pidfd_send_signal(birth->pidfd, SIGKILL);
		birth->stays = !ends_within(ABORT_TIMEOUT_MS, birth->pidfd);
		if (birth->stays)
			log_warning("process %d was killed and does not end: it may wait for a device or a network file "
				    "system",
				    birth->pid);
		else
			waitid(P_PIDFD, (id_t)birth->pidfd, &info, WEXITED);
	}
	net_devices_return(birth->net_devices);
	birth_done(birth);
}

void birth_done(struct birth *birth)
{
	net_devices_free(birth->net_devices);
	birth->net_devices = NULL;
	close_and_reset(&birth->pidfd);
	close_and_reset(&birth->channel_fd);
	close_and_reset(&birth->agent_fd);
	close_and_reset(&birth->listener_fd);
}
