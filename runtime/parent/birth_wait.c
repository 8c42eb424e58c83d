#include "parent/birth_wait.h"

#include <sched.h>

#include "parent/allowances.h"
#include "parent/cgroup/cgroup.h"

/* Can the process be found again by its group, from its first moment on and also if we are killed? */
static bool is_born_in_group(const struct birth_request *request)
{
	return request->cgroup && cgroup_clone_fd(request->cgroup) >= 0;
}

/* Must a container's first process stand still until the parent has done all? Not for what the kernel does at the clone (a v2 group), the
 * child itself (v1 groups), or the parent beforehand (the maps of a user namespace that is there). */
static bool needs_parent_first(const struct birth_request *request)
{
	const struct plan *plan = request->plan;

	return !is_born_in_group(request) || (plan->namespaces.create & CLONE_NEWUSER && !plan->rootfs.locked) ||
	       plan->namespaces.n_join || plan->n_net_devices || plan_has_hooks(plan);
}

enum child_wait birth_wait_where(const struct birth_request *request)
{
	const struct plan_process *process = &request->plan->process;
	bool waits = request->is_awaited || process->set_oom_score_adj || allowances_has_limits(process);

	if (request->role == CHILD_EXEC)
		return waits || !is_born_in_group(request) || !request->has_own_group ? CHILD_WAITS_LATE
										      : CHILD_WAITS_NOT;
	/* Its streams are not the host's root's. */
	waits |= process->uid || request->plan->namespaces.create & CLONE_NEWUSER;
	if (needs_parent_first(request) || (waits && request->role == CHILD_INIT_WAITS))
		return CHILD_WAITS_FIRST;
	return waits ? CHILD_WAITS_LATE : CHILD_WAITS_NOT;
}
