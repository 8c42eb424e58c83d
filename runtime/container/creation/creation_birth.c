#include "container/creation/creation_birth.h"

#include <linux/capability.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "container/checkpoint/checkpoint.h"
#include "container/creation/creation_attendant.h"
#include "container/explain/expectation.h"
#include "container/learn/learn.h"
#include "container/record.h"
#include "container/state.h"
#include "parent/cgroup/cgroup.h"

/* For later invocations. A bundle may change or go: what exec and hooks will need is what was decided on now. */
static int save(struct creation *creation, struct error *err)
{
	int rc = file_create_at(creation->container.dir_fd, STORE_CONFIG, &creation->decision.text, 0600, err);

	if (rc >= 0)
		rc = record_prepare(creation, err);
	if (rc >= 0)
		rc = expectation_save(creation, err);
	return rc < 0 ? rc : store_save(&creation->container, err);
}

static void fill_request(struct creation *creation)
{
	struct container *container = &creation->container;

	creation->filter_cache_fd = creation->plan->seccomp.enabled ? store_open_filter_cache(container->root_fd)
								    : -EBADF;
	creation->birth_request = (struct birth_request){
		.plan = creation->plan,
		.role = creation->role,
		.privileged = creation->decision.host.capabilities >> CAP_SYS_ADMIN & 1 &&
			      !creation->decision.host.in_user_namespace,
		.hybrid = creation->decision.host.cgroup_layout != HOST_CGROUP_V2,
		.cgroup = creation->cgroup,
		.holder = creation->holder,
		.filter_cache_fd = creation->filter_cache_fd,
		.is_awaited = creation->is_unlimited || (creation->role == CHILD_INIT_RUNS && container->state.audit),
		.root_is_mapped = creation->root_is_mapped,
		.root_mount_fd = creation->root_mount_fd,
		.start_fd = creation->start_fd,
		.console_fd = creation->console.console_fd,
		.container_fd = -EBADF,
		.attendant = creation_attendant_of(creation),
		.on_call = creation->request->learn ? learn_attend : NULL,
		.on_call_context = creation->request->learn,
	};
}

/* What is done while the child mounts, for which it waits before its program. */
static int finish_group(struct creation *creation, struct error *err)
{
	const struct plan_cgroup *cgroup = &creation->plan->cgroup;
	int rc = cgroup_release(creation->cgroup, err);

	if (rc >= 0 && creation->is_unlimited)
		rc = cgroup_limit(creation->cgroup, &cgroup->resources, err);
	if (rc >= 0 && creation->is_unlimited && cgroup->delegate)
		rc = cgroup_delegate(creation->cgroup, cgroup->owner_uid, err);
	creation->is_unlimited &= rc < 0;
	return rc;
}

/* What runs at once is on record before it does; what waits for start has its line once it is made. */
static int record(struct creation *creation, struct error *err)
{
	int rc = record_create(creation, err);

	return rc < 0 ? rc : record_start(creation->brig, &creation->container.state, /* begun_usec= */ 0, err);
}

int creation_birth_give(struct creation *creation, struct error *err)
{
	struct container *container = &creation->container;
	int rc = record_prepare(creation, err);

	if (rc < 0)
		return rc;
	fill_request(creation);
	rc = birth_begin(&creation->birth_request, &creation->birth, err);
	if (rc >= 0)
		rc = finish_group(creation, err);
	if (rc < 0)
		return rc;
	container->state.pid = creation->birth.pid;
	container->state.pid_start_time = state_process_start_time(creation->birth.pid);
	if (creation->role == CHILD_INIT_RUNS)
		rc = record(creation, err);
	if (rc < 0)
		return rc;
	/* Without a cgroup the pid is the only way to find it again: it is on record before the process goes its way. */
	if (creation->plan->cgroup.manager == PLAN_CGROUP_DISABLED)
		rc = save(creation, err);
	if (rc >= 0)
		rc = birth_go(&creation->birth, err);
	if (rc < 0)
		return rc;
	/* The child must see the end of the console's connection as its own alone. */
	close_and_reset(&creation->start_fd);
	close_and_reset(&creation->console.console_fd);
	/* Otherwise while the child is at work, where the write costs it nothing. */
	if (creation->plan->cgroup.manager != PLAN_CGROUP_DISABLED)
		rc = save(creation, err);
	log_debug("parent: state saved");
	return rc < 0 ? rc : birth_finish(&creation->birth_request, &creation->birth, err);
}

int creation_birth_restore(struct creation *creation, struct error *err)
{
	int rc = checkpoint_restore(creation, err);

	return rc < 0 ? rc : save(creation, err);
}
