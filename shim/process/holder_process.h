/* What the processes behind a holder do. Internal to it. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "shim/process/holder.h"

/* In one piece over the socket. error.kind ERROR_NONE: it went well. */
struct holder_message {
	struct error error;
	bool is_of_maker;
	pid_t pid; /* of the holder, in the shim's pid namespace; from the maker */
};

/* In a new process: enters the namespaces that there are already, makes the holder in those that there are not yet, as a child of
 * its own parent, and says so on socket_fd. Returns in the maker alone. */
void holder_process_make(const struct holder_options *options, int socket_fd);
