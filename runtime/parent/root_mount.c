#include "parent/root_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "child/mount_make.h"
#include "parent/idmap.h"
#include "parent/overlay.h"

static int map_ids(int mount_fd, int userns_fd, const struct plan_mount *mount, struct error *err)
{
	int rc = mount_make_map_ids(mount_fd, 0, userns_fd);

	if (rc < 0)
		return error_system(err, -rc, "uidmap: map the ids of %s (%s may not support id-mapped mounts)",
				    mount->source ?: mount->type, mount->type);
	return 0;
}

static int make(const struct plan_root_mount *root, int userns_fd, struct error *err)
{
	AUTO_CLOSE int fd = root->is_overlay ? overlay_make(root, userns_fd, err)
					     : mount_make(&root->mount, userns_fd, err);
	int rc = 0;

	if (fd >= 0 && userns_fd >= 0 && !root->is_overlay && root->mount.kind == PLAN_MOUNT_FILESYSTEM)
		rc = map_ids(fd, userns_fd, &root->mount, err);
	return fd < 0 ? fd : rc < 0 ? rc : steal_fd(&fd);
}

int root_mount_make(const struct plan_root_mount *root, struct error *err)
{
	AUTO_CLOSE int userns_fd = -EBADF;
	struct stat status;
	int fd;

	if (root->mount.idmap) {
		userns_fd = idmap_open_namespace(&root->mount.uids, &root->mount.gids, err);
		if (userns_fd < 0)
			return error_prefix(err, "rootfs (%s): uidmap", root->mount.type);
	}
	fd = make(root, userns_fd, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		return fd;
	close(fd);
	return error_invalid(err, "rootfs (%s): %s is no directory", root->mount.type, root->mount.source ?: "its root");
}

int root_mount_attach(int mount_fd, const char *path, struct error *err)
{
	if (move_mount(mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_system(err, errno, "attach the root file system at %s", path);
	return 0;
}

/* mount(2)'s own escapes: a colon separates layers, a comma options, a backslash escapes. */
static void append_layer(struct buffer *data, const char *path)
{
	for (; *path; path++)
		buffer_printf(data, "%s%c", strchr(":,\\", *path) ? "\\" : "", *path);
}

char *root_mount_old_data(const struct plan_root_mount *root)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer data = { 0 };

	for (size_t i = 0; i < root->n_lower; i++) {
		buffer_append_text(&data, i ? ":" : "lowerdir=");
		append_layer(&data, root->lower[i]);
	}
	if (root->upper) {
		buffer_append_text(&data, ",upperdir=");
		append_layer(&data, root->upper);
		buffer_append_text(&data, ",workdir=");
		append_layer(&data, root->work);
	}
	for (size_t i = 0; i < root->mount.n_options; i++) {
		const struct plan_mount_option *option = &root->mount.options[i];

		buffer_printf(&data, ",%s%s%s", option->key, option->value ? "=" : "", option->value ?: "");
	}
	return data.failed ? NULL : buffer_steal(&data);
}

int root_mount_attach_old(const struct plan_root_mount *root, const char *path, struct error *err)
{
	AUTO_FREE char *data = root_mount_old_data(root);
	unsigned long flags = root->mount.attr_set & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0;

	if (!data)
		return error_memory(err);
	if (root->mount.idmap)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "rootfs (overlay): uidmap: layers with mapped ids take Linux 6.15; leave "
				 "uidmap and gidmap out");
	/* mount(2) takes a page of data at most, and cuts what is longer. */
	if (strlen(data) >= 4096)
		return error_set(err, ERROR_UNSUPPORTED, E2BIG,
				 "rootfs (overlay): lowerdir: %zu layers are more than this kernel takes (Linux "
				 "6.8 takes %d)",
				 root->n_lower, PLAN_ROOT_LAYERS_MAX);
	if (mount(root->mount.source ?: "overlay", path, "overlay", flags, data) < 0)
		return error_system(err, errno, "rootfs (overlay): mount at %s with %.400s", path, data);
	return 0;
}

int root_mount_check_place(const char *path, struct error *err)
{
	struct statx status;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &status) < 0)
		return error_system(err, errno, "root.path: %s", path);
	if (!S_ISDIR(status.stx_mode))
		return error_system(err, ENOTDIR, "root.path: %s", path);
	if (status.stx_attributes & status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return error_set(
			err, ERROR_EXISTS, EBUSY,
			"root.path: something is mounted at %s already, where the root file system is to be attached for "
			"hooks; unmount it",
			path);
	return 0;
}
