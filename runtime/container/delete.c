#include "container/delete.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "child/hooks.h"
#include "container/creation/creation_ids.h"
#include "container/record.h"
#include "container/rootfs_mark.h"
#include "container/state.h"
#include "container/status.h"
#include "container/stored_plan.h"
#include "parent/cgroup/cgroup.h"

#define END_TIMEOUT_MS 10000

/* All processes, and the wait for the first one's end: its pid namespace goes with it. The first process by its pidfd, the
 * others by the group. Where the group is "disabled" the end of its pid namespace is theirs. The first process of a pid namespace ends
 * once the last of the others was waited for, an exec by whoever made it (pid_namespaces(7)). */
static int kill_processes(const struct state *state, struct cgroup *cgroup, struct error *err)
{
	AUTO_CLOSE int pidfd = state_open_process(state);
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0)
		sys_pidfd_send_signal(pidfd, SIGKILL);
	/* The group may not be made yet, or be gone already: an earlier brig was killed. */
	if (cgroup && cgroup_exists(cgroup) && cgroup_kill(cgroup, err) < 0)
		return -err->code;
	if (pidfd >= 0 && poll(&polled, 1, END_TIMEOUT_MS) == 0)
		return error_set(
			err, ERROR_TIMEOUT, ETIMEDOUT,
			"process %d of container %s does not end (it may wait for a device or a network file system, or, "
			"with all of its namespace dead, for a stopped `brig exec` to take the end of what that started)",
			state->pid, state->id);
	return 0;
}

/* usage: read before the group is gone, unless it is known. */
static int remove_cgroup(const struct state *state, struct cgroup *cgroup, struct audit_usage *usage, struct error *err)
{
	int rc = kill_processes(state, cgroup, err);

	if (rc < 0 || !cgroup)
		return rc;
	if (state->audit && !usage->is_known)
		record_usage(cgroup, usage);
	return cgroup_destroy(cgroup, END_TIMEOUT_MS, err);
}

/* After the container is gone; a hook that fails is a warning, since there is nothing to take back (OCI runtime.md). */
static void run_poststop_hooks(const struct brig *brig, const struct container *container)
{
	AUTO(plan_free) struct plan *plan = NULL;
	struct error err = { 0 };

	if (!container->state.late_work)
		return;
	if (stored_plan_load(brig, container, &plan, &err) < 0 ||
	    hooks_run(plan, PLAN_HOOK_POSTSTOP, /* pid= */ 0, "stopped", &err) < 0)
		log_warning("poststop: %s", err.message);
}

/* Each part finds nothing to do where an earlier delete was killed after it: the whole can be repeated. The ids are given back
 * once nobody can use them any more, and the state directory goes last, since it is what a later delete starts from. */
int delete_opened(const struct brig *brig, struct container *container, struct cgroup *cgroup,
		  const struct audit_usage *known, struct error *err)
{
	struct audit_usage usage = known ? *known : (struct audit_usage){ 0 };
	int rc = remove_cgroup(&container->state, cgroup, &usage, err);

	if (rc < 0)
		return error_prefix(err, "delete container %s", container->state.id);
	run_poststop_hooks(brig, container);
	rc = rootfs_mark_unmount(container, err);
	if (rc < 0)
		return error_prefix(err, "delete container %s", container->state.id);
	record_delete(brig, &container->state, &usage);
	rc = creation_ids_release(brig, &container->state, err);
	if (rc < 0)
		return error_prefix(err, "delete container %s", container->state.id);
	return store_remove(container, err);
}

int delete_locked(const struct brig *brig, struct container *container, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	const struct state *state = &container->state;
	int rc = 0;

	/* No path: brig was killed before it had decided on one. */
	if (state->cgroup_path)
		rc = cgroup_open(state->cgroup_manager, state->cgroup_path, &cgroup, err);
	if (rc < 0)
		return error_prefix(err, "delete container %s", state->id);
	return delete_opened(brig, container, cgroup, /* known= */ NULL, err);
}

/* A brig that hangs in create (in a hook, say) holds the lock: ending its container makes it fail and let go. */
static void kill_unlocked(const struct brig *brig, const char *id)
{
	struct container container;
	struct error ignored;
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;

	if (store_open(brig, id, STORE_UNLOCKED, &container, &ignored) < 0)
		return;
	if (container.state.cgroup_path && store_is_busy(&container) &&
	    cgroup_open(container.state.cgroup_manager, container.state.cgroup_path, &cgroup, &ignored) >= 0)
		cgroup_kill(cgroup, &ignored);
	store_done(&container);
}

int brig_delete(const struct brig *brig, const char *id, bool force, struct error *err)
{
	struct container container;
	enum brig_status status;
	int rc;

	if (force)
		kill_unlocked(brig, id);
	rc = store_open(brig, id, force ? STORE_LOCKED_FOR_REMOVAL : STORE_LOCKED, &container, err);
	if (rc < 0)
		return force && err->kind == ERROR_NOT_FOUND ? 0 : rc;
	status = status_of(&container, NULL);
	/* A created one has not run anything: it may go as it is, as runc has it. */
	if (!force && status != BRIG_STOPPED && status != BRIG_CREATED)
		rc = error_set(err, ERROR_STATE, EBUSY, "cannot delete container %s that is not stopped: %s", id,
			       brig_status_name(status));
	else
		rc = delete_locked(brig, &container, err);
	store_done(&container);
	return rc;
}
