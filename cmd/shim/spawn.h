/* From `start` to `serve`: a process of its own, out of everything that belongs to the caller. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "shim/bootstrap/arguments.h"

struct spawn {
	const struct arguments *arguments;
	const char *program; /* argv[0] */
	const char *bundle;  /* absolute */
	const char *socket_path;
	const char *ttrpc_address; /* containerd's, or "" */
	const char *shim_cgroup;   /* or NULL */
	const char *policy;	   /* the handler's, or NULL */
	enum log_level log_level;
};

/* Returns once `serve` is being executed, listening at socket_path: 0, or a negative errno with err set, and then neither a process nor a
 * socket of its own is left. ERROR_EXISTS: a shim listens there already. */
int spawn_serve(const struct spawn *spawn, pid_t *ret_pid, struct error *err);
