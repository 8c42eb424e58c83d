#include "shim/process/state.h"

#include <errno.h>

struct cell {
	struct state_step step;
	enum error_kind refusal; /* ERROR_NONE: step holds */
	const char *message;
};

/* clang-format off: one line a row, so that it reads as the table that it is */
#define GO(to)                                               \
	{                                                    \
		.step = {.next = PROCESS_##to, .act = true } \
	}
#define NOTHING(in)                                           \
	{                                                     \
		.step = {.next = PROCESS_##in, .act = false } \
	}
#define CANNOT(text)                                              \
	{                                                         \
		.refusal = ERROR_STATE, .message = "cannot " text \
	}
#define TAKEN                                                         \
	{                                                             \
		.refusal = ERROR_EXISTS, .message = "the id is taken" \
	}
#define FINISHED                                                                  \
	{                                                                         \
		.refusal = ERROR_NOT_FOUND, .message = "process already finished" \
	}
#define GONE                                                                          \
	{                                                                             \
		.refusal = ERROR_NOT_FOUND, .message = "the process has been deleted" \
	}
/* An exec is never in this state. */
#define NEVER                                                                                  \
	{                                                                                      \
		.refusal = ERROR_INTERNAL, .message = "an exec has no paused state of its own" \
	}

/* The columns: created, running, paused, stopped, deleted. */
static const struct cell init_table[PROCESS_N_EVENTS][PROCESS_N_STATES] = {
	[PROCESS_ASKED_CREATE] = { TAKEN, TAKEN, TAKEN, TAKEN, GO(CREATED) },
	[PROCESS_ASKED_START] = { GO(RUNNING), CANNOT("start a running process"), CANNOT("start a paused process"),
				  CANNOT("start a stopped process"), GONE },
	[PROCESS_ASKED_KILL] = { GO(CREATED), GO(RUNNING), GO(PAUSED), FINISHED, GONE },
	[PROCESS_ASKED_PAUSE] = { CANNOT("pause a container in created state"), GO(PAUSED),
				  CANNOT("pause a paused container"), CANNOT("pause a stopped container"), GONE },
	[PROCESS_ASKED_RESUME] = { CANNOT("resume a container in created state"), CANNOT("resume a running container"),
				   GO(RUNNING), CANNOT("resume a stopped container"), GONE },
	/* A created process is killed by the delete; a running one is never: that is what Kill is for. */
	[PROCESS_ASKED_DELETE] = { GO(DELETED), CANNOT("delete a running process"), CANNOT("delete a paused process"),
				   GO(DELETED), NOTHING(DELETED) },
	[PROCESS_ASKED_CHECKPOINT] = { CANNOT("checkpoint a container in created state"), GO(RUNNING), GO(PAUSED),
				       CANNOT("checkpoint a stopped container"), GONE },
	[PROCESS_ASKED_UPDATE] = { GO(CREATED), GO(RUNNING), GO(PAUSED), CANNOT("update a stopped container"), GONE },
	[PROCESS_ASKED_EXEC] = { GO(CREATED), GO(RUNNING), CANNOT("exec in a paused container"),
				 CANNOT("exec in a stopped container"), GONE },
	/* The window of a terminal may change while its process ends: no reason for an error. */
	[PROCESS_ASKED_RESIZE] = { GO(CREATED), GO(RUNNING), GO(PAUSED), NOTHING(STOPPED), GONE },
	[PROCESS_ASKED_CLOSE_IO] = { GO(CREATED), GO(RUNNING), GO(PAUSED), GO(STOPPED), GONE },
	[PROCESS_ASKED_WAIT] = { GO(CREATED), GO(RUNNING), GO(PAUSED), GO(STOPPED), GO(DELETED) },
	[PROCESS_EXITED] = { GO(STOPPED), GO(STOPPED), GO(STOPPED), NOTHING(STOPPED), NOTHING(DELETED) },
};

static const struct cell exec_table[PROCESS_N_EVENTS][PROCESS_N_STATES] = {
	[PROCESS_ASKED_CREATE] = { TAKEN, TAKEN, NEVER, TAKEN, GO(CREATED) },
	[PROCESS_ASKED_START] = { GO(RUNNING), CANNOT("start a running process"), NEVER,
				  CANNOT("start a stopped process"), GONE },
	/* Before its start an exec has no process that a signal could go to. */
	[PROCESS_ASKED_KILL] = { CANNOT("kill a process that is not started"), GO(RUNNING), NEVER, FINISHED, GONE },
	[PROCESS_ASKED_PAUSE] = { CANNOT("pause an exec"), CANNOT("pause an exec"), NEVER, CANNOT("pause an exec"), GONE },
	[PROCESS_ASKED_RESUME] = { CANNOT("resume an exec"), CANNOT("resume an exec"), NEVER, CANNOT("resume an exec"),
				   GONE },
	[PROCESS_ASKED_DELETE] = { GO(DELETED), CANNOT("delete a running process"), NEVER, GO(DELETED), NOTHING(DELETED) },
	[PROCESS_ASKED_CHECKPOINT] = { CANNOT("checkpoint an exec"), CANNOT("checkpoint an exec"), NEVER,
				       CANNOT("checkpoint an exec"), GONE },
	[PROCESS_ASKED_UPDATE] = { CANNOT("update an exec"), CANNOT("update an exec"), NEVER, CANNOT("update an exec"),
				   GONE },
	[PROCESS_ASKED_EXEC] = { CANNOT("exec in an exec"), CANNOT("exec in an exec"), NEVER, CANNOT("exec in an exec"),
				 GONE },
	[PROCESS_ASKED_RESIZE] = { GO(CREATED), GO(RUNNING), NEVER, CANNOT("resize a stopped process"), GONE },
	[PROCESS_ASKED_CLOSE_IO] = { GO(CREATED), GO(RUNNING), NEVER, GO(STOPPED), GONE },
	[PROCESS_ASKED_WAIT] = { GO(CREATED), GO(RUNNING), NEVER, GO(STOPPED), GO(DELETED) },
	[PROCESS_EXITED] = { GO(STOPPED), GO(STOPPED), NEVER, NOTHING(STOPPED), NOTHING(DELETED) },
};
/* clang-format on */

static int errno_of(enum error_kind refusal)
{
	if (refusal == ERROR_EXISTS)
		return EEXIST;
	if (refusal == ERROR_NOT_FOUND)
		return ESRCH;
	return refusal == ERROR_STATE ? EBUSY : EINVAL;
}

int state_step(enum process_kind kind, enum process_state state, enum process_event event, struct state_step *ret,
	       struct error *err)
{
	const struct cell *cell;

	if (kind >= PROCESS_N_KINDS || state >= PROCESS_N_STATES || event >= PROCESS_N_EVENTS)
		return error_set(err, ERROR_INTERNAL, EINVAL, "no event %d in state %d of kind %d", (int)event,
				 (int)state, (int)kind);
	cell = kind == PROCESS_INIT ? &init_table[event][state] : &exec_table[event][state];
	if (cell->refusal != ERROR_NONE)
		return error_set(err, cell->refusal, errno_of(cell->refusal), "%s", cell->message);
	*ret = cell->step;
	return 0;
}

enum process_state state_reported(enum process_state init, enum process_state exec)
{
	return init == PROCESS_PAUSED && exec == PROCESS_RUNNING ? PROCESS_PAUSED : exec;
}

const char *state_name(enum process_state state)
{
	switch (state) {
	case PROCESS_CREATED:
		return "created";
	case PROCESS_RUNNING:
		return "running";
	case PROCESS_PAUSED:
		return "paused";
	case PROCESS_STOPPED:
		return "stopped";
	case PROCESS_DELETED:
		return "deleted";
	case PROCESS_N_STATES:
		break;
	}
	return "unknown";
}
