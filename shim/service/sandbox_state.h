/* What a pod without a pause container may be asked in which state, as a table. Pure. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* NONE: before CreateSandbox. READY: the holder lives. STOPPED is for ever: containerd makes a pod anew with another shim. */
enum sandbox_state { SANDBOX_NONE, SANDBOX_CREATED, SANDBOX_READY, SANDBOX_STOPPED, SANDBOX_N_STATES };

enum sandbox_event {
	SANDBOX_ASKED_CREATE,
	SANDBOX_ASKED_START,
	SANDBOX_ASKED_STOP,
	SANDBOX_ASKED_SHUTDOWN,
	SANDBOX_ASKED, /* Platform, Wait, SandboxStatus, Ping, Metrics: they change nothing */
	SANDBOX_ENDED, /* its process did, unasked */
	SANDBOX_N_EVENTS,
};

struct sandbox_step {
	enum sandbox_state next;
	bool act; /* false: there is nothing to do, and that is a success */
};

/* Returns 0, or a negative errno with err set: ERROR_NOT_FOUND, ERROR_EXISTS or ERROR_STATE. */
int sandbox_state_step(enum sandbox_state state, enum sandbox_event event, struct sandbox_step *ret, struct error *err);
