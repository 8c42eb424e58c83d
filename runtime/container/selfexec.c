#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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

static int open_self(struct error *err)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	return fd >= 0 ? fd : error_system(err, errno, "open /proc/self/exe (is /proc mounted?)");
}

/* Our file on a mount of its own; -EPERM where we may not make one. */
static int clone_read_only(int exe_fd, struct error *err)
{
	AUTO_CLOSE int mount_fd = open_tree(exe_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };

	if (mount_fd < 0)
		return error_system(err, errno, "clone the mount of /proc/self/exe");
	if (sys_mount_setattr(mount_fd, 0, &attr) < 0) {
		error_system(err, errno, "make the clone of our own executable read-only");
		return -EIO; /* whatever it was: a clone that can be written to is none to go on with */
	}
	return steal_fd(&mount_fd);
}

/* By which we were executed: execveat(2) leaves its name to the program (AT_EXECFN). */
static int executed_number(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	int fd, end = 0;

	return name && sscanf(name, "/dev/fd/%d%n", &fd, &end) == 1 && !name[end] ? fd : -EBADF;
}

/* The same if it is open still. Some other file may have the number by now. */
static int executed_fd(int exe_fd)
{
	int fd = executed_number(), flags;
	struct stat ours, theirs;

	if (fd < 0 || fd == exe_fd)
		return -EBADF;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || !(flags & O_PATH) || fstat(exe_fd, &ours) < 0 || fstat(fd, &theirs) < 0)
		return -EBADF;
	return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino ? fd : -EBADF;
}

void brig_release_executable(void)
{
	struct error ignored;
	AUTO_CLOSE int exe_fd = executed_number() < 0 ? -EBADF : open_self(&ignored), fd = executed_fd(exe_fd);

	(void)fd;
}

int brig_protect_executable(char *const *argv, struct error *err)
{
	AUTO_CLOSE int exe_fd = open_self(err), mount_fd = -EBADF;
	int rc = exe_fd < 0 ? exe_fd : is_protected(exe_fd, err), fd;

	/* Nobody whom we execute gets it. */
	if (rc > 0 && (fd = executed_fd(exe_fd)) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_system(err, errno, "close descriptor %d in what we execute", fd);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	mount_fd = clone_read_only(exe_fd, err);
	if (mount_fd < 0)
		return mount_fd == -EPERM ? 0 : mount_fd;
	syscall(SYS_execveat, mount_fd, "", argv, environ, AT_EMPTY_PATH);
	return error_system(err, errno, "execute ourselves again from a read-only mount");
}

int brig_execute_protected(char *const *argv, char *const *envp, struct error *err)
{
	AUTO_CLOSE int exe_fd = open_self(err), mount_fd = -EBADF;

	if (exe_fd < 0)
		return exe_fd;
	mount_fd = clone_read_only(exe_fd, err);
	if (mount_fd < 0 && mount_fd != -EPERM)
		return mount_fd;
	syscall(SYS_execveat, mount_fd < 0 ? exe_fd : mount_fd, "", argv, envp, AT_EMPTY_PATH);
	return error_system(err, errno, "execute ourselves again from a read-only mount");
}
