#include "child/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "child/steps.h"
#include "plan/plan_id_map.h"

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" },	 { "ptmx", "pts/ptmx" },
};

/* Of "a/b/c" the directory, made where it is missing; slash: the last one. */
static int open_parent(int base_fd, const char *path, const char *slash)
{
	char directory[256];

	if ((size_t)(slash - path) >= sizeof(directory))
		return -ENAMETOOLONG;
	snprintf(directory, sizeof(directory), "/%.*s", (int)(slash - path), path);
	return path_make_in_root(base_fd, directory, /* is_file= */ false, 0755);
}

struct filling {
	const struct plan *plan;
	enum devices_view view;
};

static int set_owner(const struct filling *filling, const struct plan_device *device, int dir_fd, const char *name)
{
	const struct plan_namespaces *namespaces = &filling->plan->namespaces;
	bool of_host = filling->view == DEVICES_OF_HOST;
	uid_t uid = of_host ? plan_id_map_outside(&namespaces->uids, device->uid) : device->uid;
	gid_t gid = of_host ? plan_id_map_outside(&namespaces->gids, device->gid) : device->gid;

	if (uid == 0 && gid == 0)
		return 0;
	return fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* In a user namespace nodes can't be made: the host's is bound over an empty file instead. */
static int bind_from_host(int dir_fd, const char *name, const struct plan_device *device)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), clone_fd = -EBADF;
	struct stat status;

	if (fd < 0)
		return -errno;
	clone_fd = open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (clone_fd < 0 || fstat(clone_fd, &status) < 0)
		return -errno;
	if ((status.st_mode & S_IFMT) != device->type || status.st_rdev != makedev(device->major, device->minor))
		return -ENXIO;
	return mount_make_attach(clone_fd, fd);
}

static int make_node(const struct filling *filling, int dir_fd, const char *name, const struct plan_device *device)
{
	struct stat status;
	mode_t umask_before = umask(0);
	int rc = mknodat(dir_fd, name, device->type | device->mode, makedev(device->major, device->minor));

	umask(umask_before);
	if (rc == 0)
		return set_owner(filling, device, dir_fd, name);
	if (errno == EPERM && filling->view == DEVICES_OF_CONTAINER)
		return bind_from_host(dir_fd, name, device);
	if (errno != EEXIST || fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* An image may bring the node along: the same device is as good as ours. */
	if ((status.st_mode & S_IFMT) == device->type && status.st_rdev == makedev(device->major, device->minor))
		return 0;
	return -EEXIST;
}

static int make_device(const struct filling *filling, int base_fd, const char *relative,
		       const struct plan_device *device, struct error *err)
{
	const char *slash = strrchr(relative, '/'), *name = slash ? slash + 1 : relative;
	AUTO_CLOSE int parent_fd = slash ? open_parent(base_fd, relative, slash) : -EBADF;
	int dir_fd = slash ? parent_fd : base_fd;
	int rc = dir_fd < 0 ? dir_fd : make_node(filling, dir_fd, name, device);

	if (rc < 0)
		return error_system(err, -rc, "linux.devices: make %s (%u:%u)", device->path, device->major,
				    device->minor);
	return 0;
}

/* A link that an image brought along is replaced only where it would mislead: /dev/ptmx has to be the container's own. */
static int make_links(int dev_fd, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (symlinkat(links[i].target, dev_fd, links[i].name) == 0)
			continue;
		if (errno == EEXIST && strcmp(links[i].name, "ptmx") == 0 && unlinkat(dev_fd, "ptmx", 0) == 0 &&
		    symlinkat(links[i].target, dev_fd, "ptmx") == 0)
			continue;
		if (errno != EEXIST)
			return error_system(err, errno, "make the link /dev/%s", links[i].name);
	}
	return 0;
}

int devices_fill(const struct plan *plan, int dev_fd, enum devices_view view, struct error *err)
{
	const struct filling filling = { .plan = plan, .view = view };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < plan->rootfs.n_devices; i++) {
		const struct plan_device *device = &plan->rootfs.devices[i];

		if (path_is_below(device->path, "/dev") && device->path[4] == '/')
			rc = make_device(&filling, dev_fd, device->path + 5, device, err);
	}
	return rc < 0 ? rc : make_links(dev_fd, err);
}

static int make_outside_dev(struct child *child, struct error *err)
{
	const struct filling filling = { .plan = child->plan, .view = devices_view(child) };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < child->plan->rootfs.n_devices; i++) {
		const struct plan_device *device = &child->plan->rootfs.devices[i];

		if (!path_is_below(device->path, "/dev"))
			rc = make_device(&filling, child->root_fd, device->path + 1, device, err);
	}
	return rc;
}

/* What is left after the mounts: a /dev of the image's own, and nodes that lie elsewhere. A bind mount over /dev is the
 * caller's, and stays as it is. */
int devices_make(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	AUTO_CLOSE int dev_fd = -EBADF;

	if (!(child->plan->namespaces.create & CLONE_NEWNS))
		return 0;
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (strcmp(rootfs->mounts[i].destination, "/dev") == 0)
			return make_outside_dev(child, err);
	}
	if (rootfs->n_devices == 0)
		return 0;
	dev_fd = path_make_in_root(child->root_fd, "/dev", /* is_file= */ false, 0755);
	if (dev_fd < 0)
		return error_system(err, -dev_fd, "make /dev");
	return devices_fill(child->plan, dev_fd, devices_view(child), err) ?: make_outside_dev(child, err);
}
