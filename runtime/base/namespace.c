#include "base/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

static const struct {
	uint64_t kind;
	const char *path;
} own_files[] = {
	{ CLONE_NEWUSER, "/proc/self/ns/user" }, { CLONE_NEWNS, "/proc/self/ns/mnt" },
	{ CLONE_NEWPID, "/proc/self/ns/pid" },	 { CLONE_NEWNET, "/proc/self/ns/net" },
	{ CLONE_NEWIPC, "/proc/self/ns/ipc" },	 { CLONE_NEWUTS, "/proc/self/ns/uts" },
	{ CLONE_NEWTIME, "/proc/self/ns/time" }, { CLONE_NEWCGROUP, "/proc/self/ns/cgroup" },
};

int namespace_open(const char *path)
{
	AUTO_CLOSE int path_fd = open(path, O_PATH | O_CLOEXEC), fd = -EBADF;
	struct statfs file_system;
	char link[32];

	if (path_fd < 0 || fstatfs(path_fd, &file_system) < 0)
		return -errno;
	if (file_system.f_type != NSFS_MAGIC)
		return -EINVAL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, NS_GET_NSTYPE) < 0 ? -EINVAL : steal_fd(&fd);
}

const char *namespace_own_file(uint64_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
		if (own_files[i].kind == kind)
			return own_files[i].path;
	}
	return NULL;
}

bool namespace_is_own(int fd, uint64_t kind)
{
	const char *own = namespace_own_file(kind);
	struct stat theirs, ours;

	return !own || fstat(fd, &theirs) < 0 || stat(own, &ours) < 0 ||
	       (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev);
}
