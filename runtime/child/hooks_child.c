/* The hooks that run inside, or between what the child does (OCI runtime.md "Lifecycle"); hooks.c runs one of any kind. */
#include <errno.h>

#include "child/handshake.h"
#include "child/hooks.h"
#include "child/steps.h"

int hooks_child_wait_for_runtime(struct child *child, struct error *err)
{
	const struct plan_hooks *hooks = child->plan->hooks;
	int rc;

	if (hooks[PLAN_HOOK_PRESTART].n + hooks[PLAN_HOOK_CREATE_RUNTIME].n == 0)
		return 0;
	rc = handshake_send(child->channel_fd, HANDSHAKE_MOUNTED, NULL, -1);
	if (rc < 0)
		return error_system(err, -rc, "tell the runtime that the mounts are there");
	return handshake_expect(child->channel_fd, HANDSHAKE_CONTINUE, NULL, err);
}

/* In the container's namespaces, with paths of the host: before pivot_root. */
int hooks_child_run_create_container(struct child *child, struct error *err)
{
	int rc = hooks_run(child->plan, PLAN_HOOK_CREATE_CONTAINER, child->host_pid, "creating", err);

	/* Who waits for start has his filter then. */
	if (rc < 0 || child->role != CHILD_INIT_RUNS || !hooks_precede_agent(child->plan))
		return rc;
	rc = handshake_send(child->channel_fd, HANDSHAKE_HOOKED, NULL, -EBADF);
	if (rc < 0)
		return error_system(err, -rc, "tell the runtime that the hooks have run");
	return handshake_expect(child->channel_fd, HANDSHAKE_CONTINUE, NULL, err);
}

/* Part of start, with paths of the container: the program may be the image's own, so it gets no more than the container's
 * process will have, its user, capabilities and filter (CVE-2025-23266). */
int hooks_child_run_start_container(struct child *child, struct error *err)
{
	return hooks_run(child->plan, PLAN_HOOK_START_CONTAINER, child->host_pid, "created", err);
}
