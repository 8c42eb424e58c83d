#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "container/brig.h"

/* A file on a read-only mount is safe already: ours is after the second execution, and so is one on a read-only host. */
static int is_protected(int exe_fd, struct error *err)
{
	struct statvfs status;

	if (fstatvfs(exe_fd, &status) < 0)
		return error_system(err, errno, "statvfs /proc/self/exe");
	return status.f_flag & ST_RDONLY ? 1 : 0;
}

int brig_protect_executable(char *const *argv, struct error *err)
{
	AUTO_CLOSE int exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC), mount_fd = -EBADF;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	int rc;

	if (exe_fd < 0)
		return error_system(err, errno, "open /proc/self/exe (is /proc mounted?)");
	rc = is_protected(exe_fd, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	mount_fd = open_tree(exe_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount_fd < 0 && errno == EPERM)
		return 0;
	if (mount_fd < 0)
		return error_system(err, errno, "clone the mount of /proc/self/exe");
	if (sys_mount_setattr(mount_fd, 0, &attr) < 0)
		return error_system(err, errno, "make the clone of our own executable read-only");
	syscall(SYS_execveat, mount_fd, "", argv, environ, AT_EMPTY_PATH);
	return error_system(err, errno, "execute ourselves again from a read-only mount");
}
