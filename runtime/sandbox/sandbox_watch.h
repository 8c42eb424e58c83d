/* While the program runs: its streams are served, its time and processor time are held, what is refused is counted, and init's
 * messages are taken; until all of its processes are gone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sandbox/sandbox_stream.h"
#include "sandbox/sandbox_verdict.h"

struct cgroup;
struct denial_keeper;
struct learn;

#define SANDBOX_LISTENERS_MAX 2

struct sandbox_watch {
	/* set by the caller, whose they stay */
	int pidfd, init_fd, signal_fd;
	pid_t pid;
	struct cgroup *cgroup; /* or NULL: killing init kills all */
	struct denial_keeper *keeper;
	struct learn *learn; /* with its listener; or NULL */
	int learn_fd;
	struct sandbox_stream in, out[2];
	uint64_t timeout, cpu_limit, cpus; /* as in struct sandbox_limits */
	/* The work directory is there, and the program is not: fills it. NULL: nothing to do. */
	int (*equip)(void *context, int work_fd, struct error *err);
	/* Something has come by heard_fd (-EBADF: nothing will). */
	void (*hear)(void *context);
	void *context;
	int heard_fd; /* may change while it runs */

	/* found on the way */
	int work_fd; /* the caller's to close, as are the next */
	int listen_fds[SANDBOX_LISTENERS_MAX];
	size_t n_listeners;
	uint64_t started;   /* CLOCK_MONOTONIC in nanoseconds */
	uint64_t wall_time; /* nanoseconds; by init's clock where it could tell */
	struct sandbox_end end;
	struct error failure; /* the program could not be executed, or equip failed */
	uint64_t next_look;   /* at the processor time */
	bool was_killed;
};

/* As often as one likes. */
void sandbox_watch_close_listeners(struct sandbox_watch *watch);
/* The next signal that came and asks brig to stop; 0: none. Others are passed over. */
int sandbox_watch_stop_signal(int signal_fd);
/* Fails where waiting itself does: everything is killed then. */
int sandbox_watch_until_end(struct sandbox_watch *watch, struct error *err);
/* Nanoseconds that the group has used so far; 0 where nobody counts. */
uint64_t sandbox_watch_cpu_time(struct cgroup *cgroup);
