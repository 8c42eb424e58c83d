/* The end of a child of our own that nobody else waits for. */
#pragma once

#include <errno.h>
#include <sys/types.h>
#include <sys/wait.h>

/* Waits for it, also where signals come in between. Its status as waitpid(2) has it, or a negative errno. */
static inline int reap_child(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status;
}
