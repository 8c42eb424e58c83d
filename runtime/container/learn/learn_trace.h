/* What the processes of a container that runs call from now on. A filter can't be laid on them any more; the kernel's tracer tells, in an
 * instance of its own: it stops nobody, and costs what it traces some hundred nanoseconds a call. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "container/brig.h"
#include "container/learn/learn.h"

/* Until the container's first process ends, a signal says so (SIGINT, SIGTERM, SIGHUP), or after duration_ms (0: no bound). Only calls that
 * get past the container's filter are seen. Errors: ERROR_UNSUPPORTED (no tracefs, or events, or another pid namespace than the
 * host's; a 32-bit program, whose calls the tracer can't tell), ERROR_NOT_RUNNING, those of brig_processes(). */
int learn_trace(struct learn *learn, const struct brig *brig, const char *id, uint64_t duration_ms, struct error *err);
/* One line of the tracer's pipe: returns whether it tells of a call, and then its number and arguments. Pure. */
struct learn_trace_call {
	int number;
	uint64_t arguments[6];
};
bool learn_trace_parse(const char *line, struct learn_trace_call *ret);
