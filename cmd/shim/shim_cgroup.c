#include "cmd/shim/shim_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Returns 1, 0 where this hierarchy has no such group, or a negative errno. */
static int join(int hierarchy_fd, const char *path)
{
	char procs[PATH_MAX];
	AUTO_CLOSE int fd = -EBADF;

	if (snprintf(procs, sizeof(procs), "%s/cgroup.procs", path) >= (int)sizeof(procs))
		return -ENAMETOOLONG;
	fd = path_open_in_root(hierarchy_fd, procs, O_WRONLY);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	return write(fd, "0", 1) < 0 ? -errno : 1;
}

/* With version 1 each directory is a hierarchy. */
static int join_each(int root_fd, const char *path, struct error *err)
{
	AUTO(closedir)
	DIR *directory = fd_open_directory_stream(openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n_joined = 0;

	if (!directory)
		return error_system(err, errno, "list " CGROUP_ROOT);
	for (struct dirent *entry; (entry = readdir(directory));) {
		AUTO_CLOSE int fd = -EBADF;
		int r;

		/* cpu and cpuacct are links to cpu,cpuacct, which has its turn. */
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		fd = openat(root_fd, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? 0 : join(fd, path);
		if (r < 0)
			return error_system(err, -r, CGROUP_ROOT "/%s%s/cgroup.procs", entry->d_name, path);
		n_joined += r;
	}
	return n_joined;
}

/* cgroup.procs at the top tells version 2 from a folder of hierarchies (cgroups(7)). */
int shim_cgroup_join(const char *path, struct error *err)
{
	AUTO_CLOSE int root_fd = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root_fd < 0)
		return error_system(err, errno, "open " CGROUP_ROOT);
	if (faccessat(root_fd, "cgroup.procs", F_OK, 0) == 0) {
		r = join(root_fd, path);
		if (r < 0)
			return error_system(err, -r, CGROUP_ROOT "%s/cgroup.procs", path);
	} else {
		r = join_each(root_fd, path, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		return error_set(err, ERROR_NOT_FOUND, ENOENT,
				 "there is no cgroup %s; make it, or leave shim_cgroup out of the handler's options",
				 path);
	return 0;
}
