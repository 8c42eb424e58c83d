/* What a process of a container may be asked in which state, as a table: pure, nothing is done here. The answers are those
 * that containerd's own shim gives for the task service. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum process_kind {
	PROCESS_INIT, /* the container's first process: what is asked of the container is asked of it */
	PROCESS_EXEC, /* any other; never PROCESS_PAUSED by itself, see state_reported */
	PROCESS_N_KINDS,
};

enum process_state {
	PROCESS_CREATED,
	PROCESS_RUNNING,
	PROCESS_PAUSED,
	PROCESS_STOPPED,
	PROCESS_DELETED, /* no request finds it any more, but one that was under way may still hold it */
	PROCESS_N_STATES,
};

enum process_event {
	PROCESS_ASKED_CREATE, /* Create or Exec with the id of this process */
	PROCESS_ASKED_START,
	PROCESS_ASKED_KILL,
	PROCESS_ASKED_PAUSE,
	PROCESS_ASKED_RESUME,
	PROCESS_ASKED_DELETE,
	PROCESS_ASKED_CHECKPOINT,
	PROCESS_ASKED_UPDATE,
	PROCESS_ASKED_EXEC, /* of the init: Exec, and once more Start of that exec, since a pause may lie between them */
	PROCESS_ASKED_RESIZE,
	PROCESS_ASKED_CLOSE_IO,
	PROCESS_ASKED_WAIT,
	PROCESS_EXITED, /* the reaper's report */
	PROCESS_N_EVENTS,
};

struct state_step {
	enum process_state next; /* once it is done; on failure the state stays */
	bool act;		 /* false: there is nothing to do, and that is a success */
};

/* The answer to event. Returns 0, or a negative errno with err set: ERROR_STATE (failed precondition), ERROR_NOT_FOUND (it has
 * ended or was deleted) or ERROR_EXISTS (its id is taken). Source: containerd's task service, shim contract. */
int state_step(enum process_kind kind, enum process_state state, enum process_event event, struct state_step *ret,
	       struct error *err);
/* The state of an exec as State and ResizePty see it: the freezer stops a container as a whole. */
enum process_state state_reported(enum process_state init, enum process_state exec);
/* "created", "running", "paused", "stopped", "deleted" */
const char *state_name(enum process_state state);
