/* What belongs to the host, prepared by descriptor before the clone: while we still have the host's view. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "child/child.h"
#include "parent/cgroup/cgroup.h"
#include "plan/plan.h"

/* Detached mounts for the child to attach. */
struct prepared {
	int root_fd;
	int *mount_fds; /* one for each mount of the plan; -EBADF: the child makes it */
	size_t n_mounts;
	struct child_view *views; /* of v1 controllers, for cgroup mounts */
	size_t n_views;
};

struct prepare_means {
	bool privileged;       /* CAP_SYS_ADMIN over the host's namespaces: else all is left to the child */
	struct cgroup *cgroup; /* the container's, or NULL */
	int root_mount_fd;     /* detached: the root file system, or -EBADF */
};

/* Clones the root file system and makes each mount that the plan gives to the parent. Called after namespaces were joined:
 * a sysfs shows the network namespace of whoever makes it. Nothing is left on failure. */
int prepare_mounts(const struct plan *plan, const struct prepare_means *means, struct prepared *ret, struct error *err);
/* Is there anything for prepare_map_ids? */
bool prepare_maps_ids(const struct plan *plan);
/* What the floor maps, with the maps of the container's user namespace, which is there by now: the root file system, unless its layers
 * have been mapped, and the bind mounts. Before the child attaches them. */
int prepare_map_ids(const struct plan *plan, const struct prepared *prepared, bool root_is_mapped, int userns_fd,
		    struct error *err);
void prepare_done(struct prepared *prepared);
