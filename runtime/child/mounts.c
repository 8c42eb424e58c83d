/* The plan's mounts, in its order: attached where the parent has made them, made here where they belong to the container's
 * namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/copy_up.h"
#include "child/devices.h"
#include "child/mount_make.h"
#include "child/steps.h"

static int stat_is_file(int fd, bool *ret, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat the mount's source");
	*ret = !S_ISDIR(status.st_mode);
	return 0;
}

/* /dev, /proc and /sys are where a symbolic link in an image has fooled runtimes (CVE-2019-19921, CVE-2023-27561): what is
 * mounted there must be there. */
static bool is_kernel_place(const char *path)
{
	return path_is_below(path, "/proc") || path_is_below(path, "/sys") || path_is_below(path, "/dev");
}

static int open_without_links(int root_fd, const char *path)
{
	int fd = sys_openat2(root_fd, path + 1, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);

	return fd >= 0 ? fd : -errno;
}

/* The descriptor that was looked at is the one that is used: whoever shares the root file system may put a link there now. */
static int open_kernel_place(int root_fd, const struct plan_mount *mount, bool is_file)
{
	AUTO_CLOSE int made_fd = -EBADF;
	int fd = open_without_links(root_fd, mount->destination);

	if (fd != -ENOENT)
		return fd;
	made_fd = path_make_in_root(root_fd, mount->destination, is_file, mount->target_mode ?: 0755);
	return made_fd < 0 ? made_fd : open_without_links(root_fd, mount->destination);
}

/* A volume must not land in procfs by way of a link (CVE-2019-16884): the plan allows some of /proc by name, nothing else. */
static int check_target(int target_fd, const struct plan_mount *mount, struct error *err)
{
	struct statfs status;

	if (path_is_below(mount->destination, "/proc"))
		return 0;
	if (fstatfs(target_fd, &status) < 0)
		return error_system(err, errno, "statfs");
	if (status.f_type == PROC_SUPER_MAGIC)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "the destination leads into procfs; name a destination outside of it");
	return 0;
}

static int open_target(int root_fd, const struct plan_mount *mount, bool is_file, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	int rc;

	if (!is_kernel_place(mount->destination))
		fd = path_make_in_root(root_fd, mount->destination, is_file, mount->target_mode ?: 0755);
	else
		fd = open_kernel_place(root_fd, mount, is_file);
	if (fd == -ELOOP && is_kernel_place(mount->destination))
		return error_set(err, ERROR_REFUSED, ELOOP,
				 "the root file system has a symbolic link there; replace it by a directory");
	if (fd < 0)
		return error_system(err, -fd, "open or make the destination in the root file system");
	rc = check_target(fd, mount, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

static bool is_view_of(const struct child *child, const struct child_view *view, const struct plan_mount *mount)
{
	return &child->plan->rootfs.mounts[view->mount] == mount;
}

static int attach_views(const struct child *child, const struct plan_mount *mount, int mount_fd, struct error *err)
{
	for (size_t i = 0; i < child->n_views; i++) {
		const struct child_view *view = &child->views[i];
		AUTO_CLOSE int target_fd = -EBADF;
		int rc;

		if (!is_view_of(child, view, mount))
			continue;
		target_fd = openat(mount_fd, view->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		rc = target_fd < 0 ? -errno : mount_make_attach(view->fd, target_fd);
		if (rc < 0)
			return error_system(err, -rc, "attach the controller %s", view->name);
	}
	return 0;
}

static bool is_filled(const struct child *child, const struct plan_mount *mount)
{
	return mount->fill || mount->label || (mount->kind == PLAN_MOUNT_CGROUP && child->n_views);
}

/* What the options of a tmpfs say of its own directory is not that of the directory it hides. */
static unsigned hidden_own(const struct plan_mount *mount)
{
	unsigned own = COPY_UP_ALL;

	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(mount->options[i].key, "mode") == 0)
			own &= ~(unsigned)COPY_UP_MODE;
		else if (strcmp(mount->options[i].key, "uid") == 0)
			own &= ~(unsigned)COPY_UP_UID;
		else if (strcmp(mount->options[i].key, "gid") == 0)
			own &= ~(unsigned)COPY_UP_GID;
	}
	return own;
}

/* /dev gets its nodes, a tmpfs with tmpcopyup what it hides: target_fd is the directory beneath. After the attachment, since
 * a rootless child binds the host's nodes, and older kernels mount nothing on a detached tree. */
static int fill(struct child *child, const struct plan_mount *mount, int mount_fd, int target_fd, struct error *err)
{
	int rc = 0;

	if (mount->is_dev && mount->maker == PLAN_MAKER_CHILD)
		rc = devices_fill(child->plan, mount_fd, devices_view(child), err);
	if (rc >= 0 && mount->copy_up)
		rc = copy_up(target_fd, mount_fd, hidden_own(mount), err);
	if (rc >= 0 && mount->kind == PLAN_MOUNT_CGROUP)
		rc = attach_views(child, mount, mount_fd, err);
	return rc;
}

/* A tmpfs over a directory of the image's has its permissions, as with other runtimes: /run for root alone stays that. */
static int keep_mode(int root_fd, const struct plan_mount *mount, int mount_fd, struct error *err)
{
	AUTO_CLOSE int beneath_fd = path_open_in_root(root_fd, mount->destination, O_PATH | O_DIRECTORY), top_fd = -EBADF;
	struct stat status;

	if (beneath_fd < 0)
		return 0;
	top_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top_fd < 0 || fstat(beneath_fd, &status) < 0 || fchmod(top_fd, status.st_mode & 07777) < 0)
		return error_system(err, errno, "give it the permissions of the directory that it hides");
	return 0;
}

/* move_mount(2) says EINVAL where mount(2) said ENOTDIR, and callers look for the latter. */
static int attach_error(int code, int target_fd, bool is_file, struct error *err)
{
	struct stat status;

	if (code == EINVAL && fstat(target_fd, &status) == 0 && S_ISDIR(status.st_mode) == is_file)
		return error_set(err, ERROR_SYSTEM, ENOTDIR,
				 "attach: not a directory: %s can't be mounted over %s; make both of the same kind",
				 is_file ? "a file" : "a directory", is_file ? "a directory" : "a file");
	return error_system(err, code, "attach");
}

static int attach(struct child *child, const struct plan_mount *mount, int mount_fd, struct error *err)
{
	AUTO_CLOSE int target_fd = -EBADF;
	bool is_file = false;
	int rc;

	rc = mount->kind == PLAN_MOUNT_BIND ? stat_is_file(mount_fd, &is_file, err) : 0;
	if (rc >= 0 && mount->keep_mode)
		rc = keep_mode(child->root_fd, mount, mount_fd, err);
	if (rc < 0)
		return rc;
	target_fd = open_target(child->root_fd, mount, is_file, err);
	if (target_fd < 0)
		return target_fd;
	rc = mount_make_attach(mount_fd, target_fd);
	if (rc < 0)
		return attach_error(-rc, target_fd, is_file, err);
	return fill(child, mount, mount_fd, target_fd, err);
}

int mounts_attach(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	const struct plan_mount *mount;
	int rc;

	if (!(child->plan->namespaces.create & CLONE_NEWNS))
		return 0;
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		int *fd = &child->mount_fds[i];

		mount = &rootfs->mounts[i];
		if (*fd < 0)
			*fd = mount_make(mount, -EBADF, err);
		if (*fd < 0)
			return *fd;
		rc = attach(child, mount, *fd, err);
		if (rc < 0)
			return error_prefix(err, "%s (%s)", mount->where, mount->destination);
		if (mount->type && strcmp(mount->type, "devpts") == 0)
			child->pts_fd = *fd;
	}
	return 0;
}

/* When all is in place that lies in them: later mounts have their destinations made there, the terminal its /dev/console. */
int mounts_make_readonly(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (!(child->plan->namespaces.create & CLONE_NEWNS))
		return 0;
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		const struct plan_mount *mount = &rootfs->mounts[i];

		if (is_filled(child, mount) && (mount->attr_set & MOUNT_ATTR_RDONLY) &&
		    sys_mount_setattr(child->mount_fds[i], 0, &attr) < 0)
			return error_system(err, errno, "%s (%s)", mount->where, mount->destination);
	}
	return 0;
}
