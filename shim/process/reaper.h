/* The only place that waits for processes. Those that are known are watched by pidfd, so that a number used again is never
 * mistaken; orphans that became ours (the shim is a subreaper) are reaped when SIGCHLD says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"

struct reaper;

/* A member of its owner. */
struct reaper_child {
	/* status: as a shell has it, 128 + signal; at: CLOCK_REALTIME. Once, and the child is forgotten then. */
	void (*exited)(void *context, int status, struct timespec at);
	void *context;
	pid_t pid; /* these belong to the reaper */
	int pidfd;
	struct reaper *reaper;
	struct loop_watch watch;
	uint64_t stray_since; /* as loop_now() counts: it has ended, and the worker that made it has not; 0: not so */
	struct reaper_child *next;
};

/* Blocks SIGCHLD and makes this process a subreaper (PR_SET_CHILD_SUBREAPER). */
int reaper_new(struct loop *loop, struct reaper **ret, struct error *err);
/* Nobody is told any more, and nothing is reaped: the shim's end does that. NULL is allowed. */
void reaper_free(struct reaper *reaper);
DEFINE_CLEANUP(struct reaper *, reaper_free);

/* pidfd: of a child, or of a process that becomes one when the worker that made it ends; taken over in case of success. */
int reaper_watch(struct reaper *reaper, struct reaper_child *child, pid_t pid, int pidfd, struct error *err);
/* It will be reaped without its owner, to whom its end matters no more. Nothing happens where it is not watched. */
void reaper_forget(struct reaper *reaper, struct reaper_child *child);
/* ESRCH (a negative errno) once it is gone. */
int reaper_signal(const struct reaper_child *child, int signal);
