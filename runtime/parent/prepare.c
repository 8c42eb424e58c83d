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
#include "base/log.h"
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
	for (size_t i = 0; prepared->views && i < prepared->n_views; i++)
		close_and_reset(&prepared->views[i].fd);
	free(steal_ptr(&prepared->views));
}

/* A magic link (/proc/self/root) is no name of anything, as for a mount's source. */
static int clone_root(const struct plan_rootfs *rootfs)
{
	const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	AUTO_CLOSE int fd = -EBADF;

	if (!rootfs->source_checked)
		return open_tree(AT_FDCWD, rootfs->path, flags);
	fd = sys_openat2(AT_FDCWD, rootfs->path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? -1 : open_tree(fd, "", flags | AT_EMPTY_PATH);
}

/* given_fd: a detached mount, or -EBADF: what is at root.path. */
static int open_root(const struct plan_rootfs *rootfs, int given_fd, struct error *err)
{
	AUTO_CLOSE int fd = given_fd < 0 ? clone_root(rootfs) : fcntl(given_fd, F_DUPFD_CLOEXEC, 3);
	/* A clone of a shared mount is its peer: what is mounted inside would show on the host, and pivot_root refuses it. Where
	 * sharing is asked for, that is for what lies below; "/" itself is shared anew in rootfs_finish. */
	struct mount_attr attr = { .propagation = rootfs->propagation & MS_SLAVE ? MS_SLAVE : MS_PRIVATE };
	unsigned below = rootfs->propagation & MS_SHARED ? 0 : AT_RECURSIVE;
	struct stat status;

	if (fd < 0 && errno == ELOOP && rootfs->source_checked)
		return error_set(err, ERROR_REFUSED, ELOOP,
				 "root.path: %s leads through a magic link, as procfs has them: name the directory itself",
				 rootfs->path);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(err, errno, "root.path: open %s", rootfs->path);
	if (!S_ISDIR(status.st_mode))
		return error_system(err, ENOTDIR, "root.path: %s", rootfs->path);
	if (given_fd < 0 && rootfs->source_checked &&
	    (status.st_dev != rootfs->source_device || status.st_ino != rootfs->source_inode))
		return error_set(
			err, ERROR_REFUSED, ESTALE,
			"root.path: %s is not what it was a moment ago, when it was looked at: somebody changes it",
			rootfs->path);
	if (sys_mount_setattr(fd, below, &attr) < 0)
		return error_system(err, errno, "root.path: make %s private", rootfs->path);
	return steal_fd(&fd);
}

static int make_one(const struct plan *plan, const struct plan_mount *mount, struct error *err)
{
	const struct plan_namespaces *namespaces = &plan->namespaces;
	AUTO_CLOSE int userns_fd = -EBADF, fd = -EBADF;
	int rc = 0;

	if (mount->idmap && !mount->idmap_by_floor) {
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

/* All that is mounted below it as well, or, where the kernel can't do that for one of those, it alone. */
static int map_tree(int mount_fd, bool recursive, int userns_fd)
{
	int rc = recursive ? mount_make_map_ids(mount_fd, AT_RECURSIVE, userns_fd) : -EINVAL;

	return rc == -EINVAL ? mount_make_map_ids(mount_fd, 0, userns_fd) : rc;
}

static int map_root(const struct plan_rootfs *rootfs, int root_fd, int userns_fd, struct error *err)
{
	int rc = map_tree(root_fd, /* recursive= */ true, userns_fd);

	return rc < 0 ? error_system(err, -rc, "root.path: map the ids of %s (its file system may not support that)",
				     rootfs->path)
		      : 0;
}

/* Owned by the host's ids its files belong to nobody inside: less than was expected, never more. */
static int map_mount(const struct plan_mount *mount, int mount_fd, int userns_fd, struct error *err)
{
	int rc = map_tree(mount_fd, mount->idmap_recursive, userns_fd);

	if (rc != -EINVAL)
		return rc < 0 ? error_system(err, -rc, "%s (%s): map the ids of %s", mount->where, mount->destination,
					     mount->source)
			      : 0;
	log_warning("%s (%s): the ids of %s can't be mapped: what is in it belongs to nobody in the container",
		    mount->where, mount->destination, mount->source);
	return 0;
}

bool prepare_maps_ids(const struct plan *plan)
{
	const struct plan_rootfs *rootfs = &plan->rootfs;

	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (rootfs->mounts[i].idmap_by_floor)
			return true;
	}
	return rootfs->idmap;
}

int prepare_map_ids(const struct plan *plan, const struct prepared *prepared, bool root_is_mapped, int userns_fd,
		    struct error *err)
{
	const struct plan_rootfs *rootfs = &plan->rootfs;
	int rc = 0;

	if (rootfs->idmap && !root_is_mapped && prepared->root_fd >= 0)
		rc = map_root(rootfs, prepared->root_fd, userns_fd, err);
	for (size_t i = 0; rc >= 0 && i < prepared->n_mounts; i++) {
		if (rootfs->mounts[i].idmap_by_floor && prepared->mount_fds[i] >= 0)
			rc = map_mount(&rootfs->mounts[i], prepared->mount_fds[i], userns_fd, err);
	}
	return rc;
}

static bool has_cgroup_namespace(const struct plan *plan)
{
	for (size_t i = 0; i < plan->namespaces.n_join; i++) {
		if (plan->namespaces.join[i].flag == CLONE_NEWCGROUP)
			return true;
	}
	return plan->namespaces.create & CLONE_NEWCGROUP;
}

static int add_view(struct prepared *prepared, const struct cgroup_view *view, const struct plan_rootfs *rootfs,
		    size_t mount, struct error *err)
{
	int fd = mount_make_clone(view->fd, &rootfs->mounts[mount], err);

	if (fd >= 0)
		prepared->views[prepared->n_views++] = (struct child_view){ view->name, fd, mount };
	return fd;
}

/* The directories are ours: a child in a user namespace of its own may not make any in a file system of the host's root. */
static int make_views_root(const struct child_view *views, size_t n, const struct plan_rootfs *rootfs, size_t mount,
			   struct error *err)
{
	const struct plan_mount_option options[] = { { "mode", "755" }, { "context", rootfs->mount_label } };
	uint64_t attributes = rootfs->mounts[mount].attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY;
	AUTO_CLOSE int fd = mount_make_filesystem("tmpfs", options, rootfs->mount_label ? 2 : 1, attributes, err);

	for (size_t i = 0; fd >= 0 && i < n; i++)
		if (mkdirat(fd, views[i].name, 0755) < 0)
			return error_system(err, errno, "make the directory %s", views[i].name);
	return fd < 0 ? fd : steal_fd(&fd);
}

static int make_room_for_views(struct prepared *prepared, struct error *err)
{
	struct child_view *views =
		reallocarray(prepared->views, prepared->n_views + CHILD_VIEWS_MAX, sizeof(*prepared->views));

	if (!views)
		return error_memory(err);
	prepared->views = views;
	return 0;
}

/* A host with v1 controllers: the container's directory of each that holds it, as directories of a tmpfs, "unified" the v2
 * tree's, which is where programs look for them. Each cgroup mount has clones of its own. */
static int make_cgroup_views(struct cgroup *cgroup, const struct plan_rootfs *rootfs, size_t mount,
			     struct prepared *prepared, struct error *err)
{
	const struct cgroup_view unified = { "unified", cgroup_clone_fd(cgroup) };
	struct cgroup_view views[CGROUP_VIEWS_MAX];
	size_t n = cgroup_views(cgroup, views), first = prepared->n_views;
	int rc;

	if (n == 0)
		return -EBADF;
	rc = make_room_for_views(prepared, err);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_view(prepared, &views[i], rootfs, mount, err);
	if (rc >= 0 && unified.fd >= 0)
		rc = add_view(prepared, &unified, rootfs, mount, err);
	return rc < 0 ? rc : make_views_root(prepared->views + first, prepared->n_views - first, rootfs, mount, err);
}

/* -EBADF: the child makes it, in its cgroup namespace. */
static int make_cgroup_mount(const struct plan *plan, size_t mount, struct cgroup *cgroup, struct prepared *prepared,
			     struct error *err)
{
	int fd = make_cgroup_views(cgroup, &plan->rootfs, mount, prepared, err);

	/* Without a namespace the container would see the host's whole tree: its own directory is cloned instead. */
	if (fd == -EBADF && !has_cgroup_namespace(plan) && cgroup_clone_fd(cgroup) >= 0)
		return mount_make_clone(cgroup_clone_fd(cgroup), &plan->rootfs.mounts[mount], err);
	return fd;
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
	if (means->privileged || means->root_mount_fd >= 0)
		rc = prepared.root_fd = open_root(rootfs, means->root_mount_fd, err);
	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++) {
		const struct plan_mount *mount = &rootfs->mounts[i];

		if (mount->kind == PLAN_MOUNT_CGROUP && means->privileged && means->cgroup)
			rc = prepared.mount_fds[i] = make_cgroup_mount(plan, i, means->cgroup, &prepared, err);
		else if (mount->maker == PLAN_MAKER_PARENT)
			rc = prepared.mount_fds[i] = make_one(plan, mount, err);
		rc = rc == -EBADF ? 0 : rc;
	}
	if (rc < 0) {
		prepare_done(&prepared);
		return rc;
	}
	*ret = prepared;
	return 0;
}
