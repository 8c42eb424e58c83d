#include "parent/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "child/devices.h"
#include "child/mount_make.h"
#include "parent/idmap.h"

void prepare_done(struct prepared *prepared)
{
	close_and_reset(&prepared->root_fd);
	for (size_t i = 0; prepared->mount_fds && i < prepared->n_mounts; i++)
		close_and_reset(&prepared->mount_fds[i]);
	free(steal_ptr(&prepared->mount_fds));
}

static int clone_root(const struct plan_rootfs *rootfs, struct error *err)
{
	AUTO_CLOSE int fd = open_tree(AT_FDCWD, rootfs->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	/* A clone of a shared mount is its peer: what is mounted inside would show on the host. */
	struct mount_attr attr = { .propagation = rootfs->propagation & (MS_SHARED | MS_SLAVE) ? MS_SLAVE : MS_PRIVATE };
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(err, errno, "root.path: open %s", rootfs->path);
	if (!S_ISDIR(status.st_mode))
		return error_system(err, ENOTDIR, "root.path: %s", rootfs->path);
	if (rootfs->propagation & MS_SHARED)
		return steal_fd(&fd);
	if (sys_mount_setattr(fd, AT_RECURSIVE, &attr) < 0)
		return error_system(err, errno, "root.path: make %s private", rootfs->path);
	return steal_fd(&fd);
}

static int make_one(const struct plan *plan, const struct plan_mount *mount, struct error *err)
{
	const struct plan_namespaces *namespaces = &plan->namespaces;
	AUTO_CLOSE int userns_fd = -EBADF, fd = -EBADF;
	int rc = 0;

	if (mount->idmap) {
		userns_fd = idmap_open_namespace(mount->uids.n_ranges ? &mount->uids : &namespaces->uids,
						 mount->gids.n_ranges ? &mount->gids : &namespaces->gids, err);
		if (userns_fd < 0)
			return error_prefix(err, "%s (%s)", mount->where, mount->destination);
	}
	fd = mount_make(mount, userns_fd, err);
	if (fd < 0)
		return fd;
	if (mount->is_dev)
		rc = devices_fill(plan, fd, DEVICES_OF_HOST, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

/* Without a cgroup namespace the container would see the host's whole tree: its own directory is cloned instead. */
static bool is_cgroup_clone(const struct plan *plan, const struct plan_mount *mount, const struct prepare_means *means)
{
	if (mount->kind != PLAN_MOUNT_CGROUP || means->cgroup_fd < 0 || plan->namespaces.create & CLONE_NEWCGROUP)
		return false;
	for (size_t i = 0; i < plan->namespaces.n_join; i++) {
		if (plan->namespaces.join[i].flag == CLONE_NEWCGROUP)
			return false;
	}
	return true;
}

int prepare_mounts(const struct plan *plan, const struct prepare_means *means, struct prepared *ret, struct error *err)
{
	const struct plan_rootfs *rootfs = &plan->rootfs;
	struct prepared prepared = { .root_fd = -EBADF, .n_mounts = rootfs->n_mounts };
	int rc = 0;

	if (!(plan->namespaces.create & CLONE_NEWNS)) {
		prepared.n_mounts = 0;
		*ret = prepared;
		return 0;
	}
	prepared.mount_fds = calloc(rootfs->n_mounts + 1, sizeof(int));
	if (!prepared.mount_fds)
		return error_memory(err);
	for (size_t i = 0; i < rootfs->n_mounts; i++)
		prepared.mount_fds[i] = -EBADF;
	/* Without privilege the child does it all, inside its own user namespace. */
	if (means->privileged)
		rc = prepared.root_fd = clone_root(rootfs, err);
	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++) {
		if (means->privileged && is_cgroup_clone(plan, &rootfs->mounts[i], means))
			rc = prepared.mount_fds[i] = mount_make_clone(means->cgroup_fd, &rootfs->mounts[i], err);
		else if (rootfs->mounts[i].maker == PLAN_MAKER_PARENT)
			rc = prepared.mount_fds[i] = make_one(plan, &rootfs->mounts[i], err);
	}
	if (rc < 0) {
		prepare_done(&prepared);
		return rc;
	}
	*ret = prepared;
	return 0;
}
