#include "shim/service/sandbox_state.h"

#include <errno.h>

/* What one event comes to in one state. */
struct cell {
	struct sandbox_step step;
	enum error_kind refusal; /* ERROR_NONE: step holds */
	int code;
	const char *message;
};

/* clang-format off: one line a row, so that it reads as the table that it is */
#define GO(to)                                 \
	{                                      \
		.step = { SANDBOX_##to, true } \
	}
#define NOTHING(in)                             \
	{                                       \
		.step = { SANDBOX_##in, false } \
	}
#define MISSING                                                                              \
	{                                                                                    \
		.refusal = ERROR_NOT_FOUND, .code = ENOENT, .message = "there is no sandbox" \
	}
#define TAKEN                                                                                           \
	{                                                                                               \
		.refusal = ERROR_EXISTS, .code = EEXIST, .message = "this shim has its sandbox already" \
	}
#define CANNOT(text)                                                   \
	{                                                              \
		.refusal = ERROR_STATE, .code = EBUSY, .message = text \
	}

/* The columns: none, created, ready, stopped. */
static const struct cell table[SANDBOX_N_EVENTS][SANDBOX_N_STATES] = {
	[SANDBOX_ASKED_CREATE] = { GO(CREATED), TAKEN, TAKEN, TAKEN },
	[SANDBOX_ASKED_START] = { MISSING, GO(READY), CANNOT("the sandbox is running already"),
				  CANNOT("the sandbox was stopped") },
	[SANDBOX_ASKED_STOP] = { MISSING, GO(STOPPED), GO(STOPPED), NOTHING(STOPPED) },
	/* Also of a shim whose sandbox could not be made: containerd cleans up in this way. */
	[SANDBOX_ASKED_SHUTDOWN] = { GO(STOPPED), GO(STOPPED), GO(STOPPED), GO(STOPPED) },
	[SANDBOX_ASKED] = { MISSING, GO(CREATED), GO(READY), GO(STOPPED) },
	[SANDBOX_ENDED] = { NOTHING(NONE), NOTHING(CREATED), GO(STOPPED), NOTHING(STOPPED) },
};
/* clang-format on */

int sandbox_state_step(enum sandbox_state state, enum sandbox_event event, struct sandbox_step *ret, struct error *err)
{
	const struct cell *cell;

	if (state >= SANDBOX_N_STATES || event >= SANDBOX_N_EVENTS)
		return error_set(err, ERROR_INTERNAL, EINVAL, "no event %d in state %d of a sandbox", (int)event,
				 (int)state);
	cell = &table[event][state];
	if (cell->refusal != ERROR_NONE)
		return error_set(err, cell->refusal, cell->code, "%s", cell->message);
	*ret = cell->step;
	return 0;
}
