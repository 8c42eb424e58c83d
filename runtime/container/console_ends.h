/* Both ends of the socket over which a container's terminal comes: the child's, and ours where brig is in the foreground. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "container/brig.h"

struct console_ends {
	int console_fd;	      /* where the child sends the terminal's master */
	int master_socket_fd; /* foreground: where it arrives */
};

struct console_wish {
	bool terminal;				  /* process.terminal */
	bool foreground;			  /* brig itself may hold the terminal */
	const char *path;			  /* --console-socket, or NULL */
	const struct brig_supervisor *supervisor; /* whose console_fd is copied, or NULL */
};

/* Connects to the console socket or, without one and in the foreground, makes a pair. Leaves *ret alone where there is no
 * terminal; an error where the wish and process.terminal don't fit. */
int console_ends_open(const struct console_wish *wish, struct console_ends *ret, struct error *err);
