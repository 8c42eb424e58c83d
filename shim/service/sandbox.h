/* The nine calls of the sandbox service: a pod without a pause container, whose namespaces a process of the shim's keeps. Internal to
 * the service. Source: containerd's api/runtime/sandbox/v1/sandbox.proto. */
#pragma once

#include <time.h>

#include "base/arena.h"
#include "shim/process/holder.h"
#include "shim/service/call.h"
#include "shim/service/sandbox_config.h"
#include "shim/service/sandbox_files.h"
#include "shim/service/sandbox_state.h"

struct sandbox { /* a member of the service; zeroed: there is none */
	enum sandbox_state state;
	struct arena *arena;
	const char *id;
	struct sandbox_config config;
	struct sandbox_files files; /* once it was started, until it is stopped */
	struct holder *holder;	    /* while it is ready */
	pid_t pid;		    /* the holder's, kept after its end */
	struct timespec created_at, exited_at;
	int exit_status;
};

/* Ends with { 0 }. */
extern const struct call_operation sandbox_operations[];

/* SandboxMetrics, of a sandbox that there is: what its parent cgroup counts. Returns as an operation does. */
int sandbox_metrics_answer(struct service_call *call, struct error *err);

/* Ends the holder and frees all; of a zeroed one nothing happens. */
void sandbox_done(struct sandbox *sandbox);
