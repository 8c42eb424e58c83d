/* Which version of control groups this host has, and whether we may make groups there. */
#include "parent/cgroup/cgroup.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "parent/cgroup/cgroup_internal.h"

enum host_cgroup_layout cgroup_layout(void)
{
	struct statfs fs;

	if (statfs(CGROUP_ROOT, &fs) < 0)
		return HOST_CGROUP_NONE;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return HOST_CGROUP_V2;
	/* Where nothing is mounted /sys/fs/cgroup is an empty directory of sysfs. */
	if (fs.f_type != TMPFS_MAGIC)
		return HOST_CGROUP_NONE;
	if (statfs(CGROUP_HYBRID_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return HOST_CGROUP_HYBRID;
	return HOST_CGROUP_V1;
}

bool cgroup_layout_is_open(enum host_cgroup_layout layout)
{
	switch (layout) {
	case HOST_CGROUP_NONE:
		return false;
	case HOST_CGROUP_V1:
		/* One of many: who may make groups of processes at all has the most common one. */
		return access(CGROUP_ROOT "/pids", W_OK) == 0;
	case HOST_CGROUP_V2:
		return access(CGROUP_ROOT, W_OK) == 0;
	case HOST_CGROUP_HYBRID:
		return access(CGROUP_HYBRID_ROOT, W_OK) == 0;
	}
	return false;
}

const char *cgroup_layout_name(enum host_cgroup_layout layout)
{
	switch (layout) {
	case HOST_CGROUP_NONE:
		return "none";
	case HOST_CGROUP_V1:
		return "v1";
	case HOST_CGROUP_V2:
		return "v2";
	case HOST_CGROUP_HYBRID:
		return "hybrid";
	}
	return "unknown";
}
