/* brig in front of a container: signals go through, a terminal is relayed, the end is waited for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"
#include "parent/birth.h"
#include "plan/plan.h"

struct denial_keeper;
struct learn;

struct foreground {
	int signal_fd;
	int master_fd; /* the terminal's master, or -EBADF */
	bool raw;      /* our own terminal was changed */
	/* To be set before foreground_wait: on CLOCK_MONOTONIC, in nanoseconds; 0: none. The process is killed then. */
	uint64_t deadline;
	bool timed_out;		      /* it was */
	struct denial_keeper *keeper; /* to be served meanwhile, or NULL; set by the caller, whose it stays */
	struct learn *learn;	      /* the same: learn.h, with its listener */
	int learn_fd;
	struct termios saved;
};

/* Before the process is made: from here on signals wait for foreground_wait. */
int foreground_begin(struct foreground *ret, struct error *err);
/* The size that the container's terminal is made with: ours, where config.json gives none. A program that looks at its beginning
 * would find none otherwise. */
void foreground_size_terminal(struct plan_process *process);
/* Takes the master from the socket it arrives on and puts our terminal into raw mode. */
int foreground_take_terminal(struct foreground *foreground, int master_socket_fd, struct error *err);
/* Until the process ends. Its status as a shell gives it: 128 + signal. */
int foreground_wait(struct foreground *foreground, const struct birth *birth, int *ret_exit_status, struct error *err);
/* The terminal as it was, and signals as they were. */
void foreground_end(struct foreground *foreground);
