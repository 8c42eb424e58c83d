/* The egress proxy of a sandbox (docs/egress.md): started when the sandbox's sockets are there, heard while it runs; each request goes to the
 * audit trail and into the result. */
#pragma once

#include <stddef.h>

#include "container/brig.h"
#include "container/store.h"
#include "plan/plan.h"
#include "proxy/proxy.h"
#include "sandbox/sandbox.h"

#define SANDBOX_PROXY_PORT 3128
#define SANDBOX_PROXY_URL "http://127.0.0.1:3128"
#define SANDBOX_PROXY_PATH "/tmp/.brig-egress"

struct sandbox_proxy {
	struct proxy proxy;
	/* borrowed, from sandbox_proxy_start() on */
	const struct brig *brig;
	const struct state *state;
	struct sandbox_result *result;
	const char *list;		/* checked */
	const struct plan_egress *site; /* what the policy's own list holds everybody to */
};

/* ERROR_USAGE: list is none, or there is an egress list as well. */
int sandbox_proxy_check(const struct sandbox_request *request, struct error *err);
/* The caller has set the borrowed members. The listeners stay its own. */
int sandbox_proxy_start(struct sandbox_proxy *proxy, const int *listen_fds, size_t n_listeners, struct error *err);
/* There is something to be read at proxy.control_fd, which is -EBADF where there will never be more. */
void sandbox_proxy_hear(struct sandbox_proxy *proxy);
/* Ends it and hears the rest. As often as one likes. */
void sandbox_proxy_end(struct sandbox_proxy *proxy);
