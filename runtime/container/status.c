#include "container/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/checkpoint/checkpoint.h"
#include "container/state.h"
#include "parent/cgroup/cgroup.h"

const char *brig_status_name(enum brig_status status)
{
	switch (status) {
	case BRIG_CREATING:
		return "creating";
	case BRIG_CREATED:
		return "created";
	case BRIG_RUNNING:
		return "running";
	case BRIG_PAUSED:
		return "paused";
	case BRIG_STOPPED:
		return "stopped";
	}
	return "unknown";
}

static bool is_paused(const struct state *state, struct cgroup **ret_cgroup)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	bool is_frozen = cgroup_open(state->cgroup_manager, state->cgroup_path, &cgroup, NULL) >= 0 &&
			 cgroup_is_frozen(cgroup);

	if (ret_cgroup)
		*ret_cgroup = steal_ptr(&cgroup);
	return is_frozen;
}

int status_connect(const struct container *container, int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STORE_START_SOCKET, container->dir_fd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* The file alone is no proof: a start that was killed has not taken it away. Whoever waits passes over a connection that says
 * nothing. */
static bool waits_for_start(const struct container *container, int *ret_fd)
{
	AUTO_CLOSE int fd = -EBADF;

	if (faccessat(container->dir_fd, STORE_START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	fd = status_connect(container, SOCK_NONBLOCK);
	if (fd == -ECONNREFUSED)
		return false;
	if (fd >= 0 && ret_fd)
		*ret_fd = steal_fd(&fd);
	return true;
}

/* Never from a file that says so: a status on disk is wrong after a crash. The process, its cgroup and the socket are looked at
 * instead, and may change between two looks; whoever acts on the answer holds the lock or a pidfd. */
static enum brig_status find_status(const struct container *container, int *ret_pidfd, int *ret_start_fd,
				    struct cgroup **ret_cgroup)
{
	const struct state *state = &container->state;
	AUTO_CLOSE int pidfd = -EBADF;

	if (ret_pidfd)
		*ret_pidfd = -EBADF;
	/* Whoever makes it holds the lock; without one it was left behind by a brig that was killed. */
	if (state->pid == 0)
		return store_is_busy(container) ? BRIG_CREATING : BRIG_STOPPED;
	pidfd = state_open_process(state);
	if (pidfd < 0)
		return BRIG_STOPPED;
	if (ret_pidfd)
		*ret_pidfd = steal_fd(&pidfd);
	/* A created one that is frozen is paused first of all: start would wait for it, and only resume helps. */
	if (waits_for_start(container, ret_start_fd) || checkpoint_waits(container))
		return is_paused(state, ret_cgroup) ? BRIG_PAUSED : BRIG_CREATED;
	if (faccessat(container->dir_fd, STORE_NEW_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return BRIG_CREATING;
	return is_paused(state, ret_cgroup) ? BRIG_PAUSED : BRIG_RUNNING;
}

enum brig_status status_of(const struct container *container, int *ret_pidfd)
{
	return find_status(container, ret_pidfd, /* ret_start_fd= */ NULL, /* ret_cgroup= */ NULL);
}

enum brig_status status_and_connection(const struct container *container, int *ret_pidfd, int *ret_start_fd)
{
	return find_status(container, ret_pidfd, ret_start_fd, /* ret_cgroup= */ NULL);
}

enum brig_status status_and_group(const struct container *container, int *ret_pidfd, struct cgroup **ret_cgroup)
{
	*ret_cgroup = NULL;
	return find_status(container, ret_pidfd, /* ret_start_fd= */ NULL, ret_cgroup);
}

int status_open_running(const struct container *container, int *ret_pidfd, struct error *err)
{
	int pidfd = state_open_process(&container->state);

	if (pidfd < 0)
		return error_set(err, ERROR_NOT_RUNNING, ESRCH, "container not running: %s", container->state.id);
	*ret_pidfd = pidfd;
	return 0;
}
