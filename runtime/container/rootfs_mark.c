#include "container/rootfs_mark.h"

#include <errno.h>
#include <limits.h>
#include <sys/mount.h>
#include <unistd.h>

int rootfs_mark_set(const struct container *container, const char *path, struct error *err)
{
	if (symlinkat(path, container->dir_fd, STORE_ROOTFS) < 0)
		return error_system(err, errno, "record the root file system of %s", container->state.id);
	return 0;
}

int rootfs_mark_unmount(const struct container *container, struct error *err)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(container->dir_fd, STORE_ROOTFS, path, sizeof(path) - 1);

	if (n <= 0)
		return 0;
	path[n] = '\0';
	/* With all that hooks may have mounted on it. EINVAL: it was not attached yet, or is unmounted already. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return error_system(err, errno, "unmount the root file system at %s", path);
	if (unlinkat(container->dir_fd, STORE_ROOTFS, 0) < 0 && errno != ENOENT)
		return error_system(err, errno, "forget the root file system of %s", container->state.id);
	return 0;
}
