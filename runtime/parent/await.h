/* The wait for a process that is being set up, and that others may be able to stop. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

#define AWAIT_LOOK_MS 1000

struct await {
	pid_t pid;
	int channel_fd;
	short events; /* of it, as for poll(2); 0: that its other end is closed */
	/* Or NULL: answers a system call that listener_fd tells of. Returns a negative errno, or 0 when there are no more. */
	int (*on_call)(void *context, int listener_fd);
	void *context;
	int listener_fd; /* or -EBADF */
};

/* Returns when channel_fd has something to tell. A process of the container's that may send pid a signal can stop it (SIGSTOP) before it has said
 * all: nothing would be heard of it again, and a brig in the foreground waits with its signals blocked. So a pid that is stopped is
 * an error, -ECANCELED, two seconds later at the latest. One that is traced, or frozen with its group, is none. */
int await_child(const struct await *await, struct error *err);
/* One look of those, for who waits in a loop of its own: AWAIT_LOOK_MS after the last one. *n_stopped: theirs, 0 at first. Returns 0, or
 * -ECANCELED as above with the second in a row that sees it stopped. */
int await_look(pid_t pid, unsigned *n_stopped, struct error *err);
