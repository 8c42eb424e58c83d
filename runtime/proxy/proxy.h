/* The egress proxy from brig's side: started for one sandbox, heard, and ended with it. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "proxy/outcome.h"
#include "proxy/serve.h"

struct proxy {
	pid_t pid; /* a child of ours; -1: there is none */
	int control_fd;
	size_t n_reports;  /* that were heard */
	int64_t silent_by; /* as clock_ms() has it, once it was closed: what is not said by then never will be */
};

static inline struct proxy proxy_none(void)
{
	return (struct proxy){ .pid = -1, .control_fd = -EBADF };
}

/* In the network that we are in, for clients that come by the listeners, which stay the caller's to close. *settings is copied by fork(2).
 * Returns 0 once it has given up what it has to. */
int proxy_start(const struct reach_settings *settings, const int *listen_fds, size_t n_listeners, struct proxy *ret,
		struct error *err);
/* control_fd can be read: returns 1 with a report, 0: nothing now, -1: it has ended. One in a form that no proxy of ours sends ends it, and so does one
 * more than ours would send: it reads what nobody trusts, and may be somebody else's by now. */
int proxy_hear(struct proxy *proxy, struct outcome_report *ret);
/* Nothing is let through any more: it reports on requests that go on, and ends. */
void proxy_close(struct proxy *proxy);
/* After proxy_close(), until it returns -1: as proxy_hear(), but waits for the report, until 5 s after that. */
int proxy_hear_last(struct proxy *proxy, struct outcome_report *ret);
/* Ends it at once. As often as one likes. */
void proxy_stop(struct proxy *proxy);
