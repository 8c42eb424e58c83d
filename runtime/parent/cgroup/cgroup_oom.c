#include "parent/cgroup/cgroup.h"

#include <errno.h>

#include "parent/cgroup/cgroup_internal.h"

int cgroup_oom_fd(struct cgroup *cgroup, struct error *err)
{
	if (!cgroup_exists(cgroup))
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the container has no cgroup that tells of out-of-memory kills");
	return cgroup->limits->oom_fd(cgroup, err);
}

uint64_t cgroup_oom_count(struct cgroup *cgroup)
{
	return cgroup_exists(cgroup) ? cgroup->limits->oom_count(cgroup) : 0;
}
