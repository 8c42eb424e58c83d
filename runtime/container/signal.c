/* brig kill. */
#include <errno.h>
#include <signal.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "container/brig.h"
#include "container/state.h"
#include "container/status.h"
#include "container/store.h"
#include "parent/cgroup/cgroup.h"

/* SIGKILL by cgroup.kill, which also gets what is forked meanwhile; no other signal has such a file. */
static int signal_all(const struct container *container, int signal, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);

	if (rc < 0)
		return rc;
	return signal == SIGKILL ? cgroup_kill(cgroup, err) : cgroup_signal(cgroup, signal, err);
}

static int signal_first(const struct container *container, int signal, struct error *err)
{
	AUTO_CLOSE int pidfd = -EBADF;
	int rc = status_open_running(container, &pidfd, err);

	if (rc < 0)
		return rc;
	/* Without a pid namespace of its own, the end of the first process would leave the others running. */
	if (signal == SIGKILL && !container->state.pid_namespace &&
	    container->state.cgroup_manager != PLAN_CGROUP_DISABLED)
		return signal_all(container, signal, err);
	if (sys_pidfd_send_signal(pidfd, signal) == 0)
		return 0;
	if (errno == ESRCH)
		return error_set(err, ERROR_NOT_RUNNING, ESRCH, "container not running: %s", container->state.id);
	return error_system(err, errno, "send signal %d to container %s", signal, container->state.id);
}

/* Without a cgroup nobody knows the others: the first stands for all, as for `brig ps`, and its end is theirs where it has a pid
 * namespace. One that is stopped is no error. */
static int signal_known(const struct container *container, int signal, struct error *err)
{
	struct error failed = { 0 };
	int rc = signal_first(container, signal, &failed);

	if (rc >= 0 || failed.kind == ERROR_NOT_RUNNING)
		return 0;
	if (err)
		*err = failed;
	return rc;
}

int brig_kill(const struct brig *brig, const char *id, int signal, bool all, struct error *err)
{
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	if (all && container.state.cgroup_manager == PLAN_CGROUP_DISABLED)
		rc = signal_known(&container, signal, err);
	else if (all && container.state.cgroup_path)
		rc = signal_all(&container, signal, err);
	else
		rc = signal_first(&container, signal, err);
	store_done(&container);
	return rc;
}
