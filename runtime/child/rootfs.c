/* The root file system attached, entered (pivot_root(2)), and the old one let go of. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "child/steps.h"

static bool has_mount_namespace(const struct child *child)
{
	return child->plan->namespaces.create & CLONE_NEWNS;
}

/* The root file system as a detached recursive clone: where the parent had no privilege to make one (rootless). */
static int clone_root(struct child *child, struct error *err)
{
	const char *path = child->plan->rootfs.path;
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	child->root_fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (child->root_fd < 0)
		return error_system(err, errno, "root.path: open %s", path);
	if (sys_mount_setattr(child->root_fd, AT_RECURSIVE, &attr) < 0)
		return error_system(err, errno, "root.path: make %s private", path);
	return 0;
}

int rootfs_attach(struct child *child, struct error *err)
{
	int rc;

	if (!has_mount_namespace(child))
		return 0;
	/* Nothing that happens here may show on the host; what the host mounts later reaches a container whose rootfs asks for it. */
	if (mount(NULL, "/", NULL, MS_REC | (child->plan->rootfs.propagation & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE),
		  NULL) < 0)
		return error_system(err, errno, "cut the propagation of mounts to the host");
	/* move_mount refuses a shared parent of what pivot_root replaces; "/" itself stays a slave of nobody we know. */
	if (mount(NULL, "/", NULL, MS_PRIVATE, NULL) < 0)
		return error_system(err, errno, "make / private");
	rc = child->root_fd < 0 ? clone_root(child, err) : 0;
	if (rc < 0)
		return rc;
	/* On top of "/": no path of the host is named that someone could have swapped. */
	if (move_mount(child->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_system(err, errno, "attach %s", child->plan->rootfs.path);
	return 0;
}

/* For a host whose root is a ramfs, which pivot_root refuses (--no-pivot): weaker, the host's mounts stay in the namespace. */
static int change_root(struct error *err)
{
	if (chroot(".") < 0)
		return error_system(err, errno, "chroot");
	return 0;
}

int rootfs_pivot(struct child *child, struct error *err)
{
	if (!has_mount_namespace(child))
		return 0;
	if (fchdir(child->root_fd) < 0)
		return error_system(err, errno, "change directory to %s", child->plan->rootfs.path);
	if (child->plan->rootfs.no_pivot)
		return change_root(err);
	/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is taken away there. */
	if (sys_pivot_root(".", ".") < 0)
		return error_system(err, errno, "pivot_root (a host whose root is a ramfs needs --no-pivot)");
	if (umount2(".", MNT_DETACH) < 0)
		return error_system(err, errno, "detach the host's root");
	if (chdir("/") < 0)
		return error_system(err, errno, "change directory to /");
	return 0;
}

int rootfs_finish(struct child *child, struct error *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	uint64_t propagation = child->plan->rootfs.propagation;

	if (!has_mount_namespace(child))
		return 0;
	if (child->plan->rootfs.readonly && sys_mount_setattr(child->root_fd, 0, &attr) < 0)
		return error_system(err, errno, "root.readonly: make / read-only");
	if (propagation && mount(NULL, "/", NULL, propagation, NULL) < 0)
		return error_system(err, errno, "linux.rootfsPropagation: set it on /");
	return 0;
}
