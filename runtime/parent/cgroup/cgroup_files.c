#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <string.h>

#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_v2.h"

static enum cgroup_controller controller_of(const char *name)
{
	enum cgroup_controller c = 0;

	while (c < CGROUP_N_CONTROLLERS && strcmp(name, cgroup_settings_controller_name(c, /* v2= */ true)) != 0)
		c++;
	return c;
}

int cgroup_files(struct cgroup *cgroup, const char *controller, bool *ret_v2)
{
	enum cgroup_controller c = controller_of(controller);
	int fd, v2_fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	bool v2 = cgroup->layout == HOST_CGROUP_V2 || c == CGROUP_NO_CONTROLLER;

	if (!cgroup->membership)
		return -ENOENT;
	fd = v2 ? v2_fd : cgroup_tree_fd(cgroup, c);
	/* A few controllers are v2's also on a hybrid host. */
	if (fd < 0 && !v2 && v2_fd >= 0 && cgroup_v2_offers(v2_fd, c)) {
		v2 = true;
		fd = v2_fd;
	}
	if (ret_v2)
		*ret_v2 = v2;
	return fd;
}
