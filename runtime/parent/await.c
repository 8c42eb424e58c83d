#include "parent/await.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* proc_pid_stat(5): the name may hold anything, also ")", and the last one ends it. */
static bool is_stopped(pid_t pid)
{
	char path[32], text[512];
	const char *after_name;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return false;
	after_name = strrchr(text, ')');
	return after_name && strncmp(after_name, ") T ", strlen(") T ")) == 0;
}

static int refuse_stopped(pid_t pid, struct error *err)
{
	return error_set(
		err, ERROR_SYSTEM, ECANCELED,
		"process %d of the container was stopped by a signal while it was set up: was that another process of the "
		"container? End that one, or try again",
		(int)pid);
}

int await_look(pid_t pid, unsigned *n_stopped, struct error *err)
{
	*n_stopped = is_stopped(pid) ? *n_stopped + 1 : 0;
	/* Once is what whoever stops all of us, and lets us go on before the other, leaves to be seen. */
	return *n_stopped == 2 ? refuse_stopped(pid, err) : 0;
}

int await_child(const struct await *await, struct error *err)
{
	struct pollfd waiting[] = { { .fd = await->channel_fd, .events = await->events },
				    { .fd = await->on_call ? await->listener_fd : -EBADF, .events = POLLIN } };
	unsigned n_stopped = 0;
	int n, rc;

	for (;;) {
		n = poll(waiting, ARRAY_SIZE(waiting), AWAIT_LOOK_MS);
		if (n < 0 && errno != EINTR)
			return error_system(err, errno, "wait for the container's process %d", (int)await->pid);
		rc = n == 0 ? await_look(await->pid, &n_stopped, err) : 0;
		if (rc < 0)
			return rc;
		if (n <= 0)
			continue;
		n_stopped = 0;
		if (waiting[0].revents)
			return 0;
		rc = await->on_call(await->context, waiting[1].fd);
		if (rc < 0)
			return error_system(err, -rc, "answer the container's system calls");
		if (rc == 0)
			waiting[1].fd = -EBADF;
	}
}
