/* linux.maskedPaths and linux.readonlyPaths: after pivot_root, so that what a link in the image means is what the program
 * would see, and by descriptor, so that nothing is swapped between the look and the mount. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "child/steps.h"

static int attach_clone(int source_fd, unsigned clone_flags, int target_fd, const struct mount_attr *attr)
{
	AUTO_CLOSE int fd = open_tree(source_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | clone_flags);

	if (fd < 0)
		return -errno;
	if (attr && sys_mount_setattr(fd, 0, attr) < 0)
		return -errno;
	return mount_make_attach(fd, target_fd);
}

/* A path that is not there needs no guard (OCI config-linux.md). */
static bool is_absent(int rc)
{
	return rc == -ENOENT || rc == -ENOTDIR || rc == -EACCES;
}

int guarded_make_readonly(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int rc = 0;

	if (!(child->plan->namespaces.create & CLONE_NEWNS))
		return 0;
	for (size_t i = 0; i < rootfs->n_readonly_paths; i++) {
		AUTO_CLOSE int fd = path_open_in_root(child->root_fd, rootfs->readonly_paths[i], O_PATH);

		if (is_absent(fd))
			continue;
		rc = fd < 0 ? fd : attach_clone(fd, AT_RECURSIVE, fd, &attr);
		if (rc < 0)
			return error_system(err, -rc, "linux.readonlyPaths[%zu]: %s", i, rootfs->readonly_paths[i]);
	}
	return 0;
}

/* The container's /dev/null as a mask: only if it is that device indeed (CVE-2025-31133). */
static int open_null(int root_fd, struct error *err)
{
	AUTO_CLOSE int fd = path_open_in_root(root_fd, "/dev/null", O_PATH | O_NOFOLLOW);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(err, fd < 0 ? -fd : errno, "open the container's /dev/null");
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		return error_set(err, ERROR_REFUSED, ENXIO,
				 "the container's /dev/null is not the null device: nothing can be masked with it");
	return steal_fd(&fd);
}

struct masks {
	int null_fd, empty_fd; /* made when the first path needs them */
};

static int mask_source(struct child *child, struct masks *masks, bool is_directory, struct error *err)
{
	const char *label = child->plan->rootfs.mount_label;
	const struct plan_mount_option options[] = { { "nr_inodes", "1" }, { "mode", "555" }, { "context", label } };
	size_t n_options = ARRAY_SIZE(options) - (label ? 0 : 1);
	uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (!is_directory && masks->null_fd < 0)
		masks->null_fd = open_null(child->root_fd, err);
	if (!is_directory)
		return masks->null_fd;
	/* One empty file system for all masked directories: its single inode is its root. */
	if (masks->empty_fd < 0)
		masks->empty_fd = mount_make_filesystem("tmpfs", options, n_options, attributes, err);
	return masks->empty_fd;
}

static int mask(struct child *child, struct masks *masks, const char *path, struct error *err)
{
	AUTO_CLOSE int fd = path_open_in_root(child->root_fd, path, O_PATH);
	bool first_directory = masks->empty_fd < 0;
	struct stat status;
	int source_fd, rc;

	if (is_absent(fd))
		return 0;
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(err, fd < 0 ? -fd : errno, "open %s", path);
	source_fd = mask_source(child, masks, S_ISDIR(status.st_mode), err);
	if (source_fd < 0)
		return source_fd;
	/* The first directory takes the new mount itself; only what is attached can be cloned on kernels before 6.15. */
	if (S_ISDIR(status.st_mode) && first_directory)
		rc = mount_make_attach(source_fd, fd);
	else
		rc = attach_clone(source_fd, 0, fd, NULL);
	return rc < 0 ? error_system(err, -rc, "cover %s", path) : 0;
}

int guarded_mask(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	struct masks masks = { .null_fd = -EBADF, .empty_fd = -EBADF };
	int rc = 0;

	if (!(child->plan->namespaces.create & CLONE_NEWNS))
		return 0;
	for (size_t i = 0; rc >= 0 && i < rootfs->n_masked; i++) {
		rc = mask(child, &masks, rootfs->masked[i], err);
		if (rc < 0)
			error_prefix(err, "linux.maskedPaths[%zu]", i);
	}
	close_and_reset(&masks.null_fd);
	close_and_reset(&masks.empty_fd);
	return rc;
}
