/* A container's terminal as the shim holds it. */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"

struct terminal {
	int console_fds[2]; /* over which the master comes: the shim's end, the worker's */
	int master_fd;	    /* non-blocking */
	int input_fd;	    /* the same description, so that a loop can watch input and output apart */
	int slave_fd;	    /* kept, so that a moment in which nobody inside has it open is not taken for its end */
	struct loop *loop;  /* NULL before terminal_end_input */
	struct loop_watch end_watch;
	size_t n_end_keys; /* to be typed yet */
};
#define TERMINAL_NONE       \
	((struct terminal){ \
		.console_fds = { -EBADF, -EBADF }, .master_fd = -EBADF, .input_fd = -EBADF, .slave_fd = -EBADF })

/* Makes the socket. */
int terminal_open(struct terminal *ret, struct error *err);
/* Takes the master out of it, where it has to be by now. Never blocks. */
int terminal_take(struct terminal *terminal, struct error *err);
/* Characters. ERROR_STATE before terminal_take. */
int terminal_resize(const struct terminal *terminal, uint32_t width, uint32_t height, struct error *err);
/* Nothing more will be typed: who reads is told as a person at the keyboard would (^D), once there is room for that. A program that takes
 * every key as it is, is not. Once; the terminal may not be moved afterwards. */
void terminal_end_input(struct terminal *terminal, struct loop *loop);
void terminal_done(struct terminal *terminal);
static inline void terminal_done_cleanup(struct terminal *terminal)
{
	terminal_done(terminal);
}
