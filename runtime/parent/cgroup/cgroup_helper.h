/* brig-systemd as a process of ours: executed, asked, waited for, ended (docs/adr/0014). Not for others. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/unit_request.h"

/* The helper while it has something to do, or keeps a scope alive. */
struct cgroup_helper {
	pid_t pid; /* 0: none */
	int fd;
	char pids[24]; /* what pids.max is to be when it has gone; "": it is that already */
};

struct cgroup_helper_question {
	const struct buffer *request; /* base/unit_request.h */
	bool user;		      /* it is for the systemd of a user */
	int timeout_ms;		      /* the request names a shorter one */
};

/* Executes the helper and waits for its answer, which is what came after "ok ". The helper is still there where ret is not NULL and 0 is
 * returned. Errors: ERROR_UNSUPPORTED (no helper), ERROR_REFUSED (others can write to it), ERROR_TIMEOUT, and what it answers. */
int cgroup_helper_ask(const struct cgroup_helper_question *question, char answer[static UNIT_REQUEST_ANSWER_MAX],
		      struct cgroup_helper *ret, struct error *err);
/* Closes its socket and waits for its end; what does not end by itself is killed. */
void cgroup_helper_end(struct cgroup_helper *helper);
