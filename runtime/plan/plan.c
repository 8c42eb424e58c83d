#include "plan/plan.h"

#include "base/path.h"

bool plan_mount_is_on_top(const struct plan_rootfs *rootfs, size_t mount)
{
	for (size_t i = mount + 1; i < rootfs->n_mounts; i++) {
		if (path_is_below(rootfs->mounts[mount].destination, rootfs->mounts[i].destination))
			return false;
	}
	return true;
}

void plan_free(struct plan *plan)
{
	/* The plan lies in its own arena. */
	if (plan)
		arena_free(plan->arena);
}
