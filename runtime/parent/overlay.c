#include "parent/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "plan/plan_id_map.h"

#define STACK_SIZE ((size_t)64 * 1024)

struct overlay {
	int context_fd;
	int userns_fd; /* or -EBADF */
	bool by_path;  /* the kernel takes paths only: Linux 6.8 to 6.14 */
	/* Of the layers: a detached mount is taken apart when its last descriptor is closed, and the kernel clones it at creation. */
	int *layer_fds;
	size_t n_layer_fds;
};

/* The kernel explains itself on the context's descriptor ("e overlay: ..."), in one message a read. */
static int context_error(const struct overlay *overlay, int code, const char *what, struct error *err)
{
	char text[256];
	ssize_t n = read(overlay->context_fd, text, sizeof(text) - 1);

	if (n <= 2)
		return error_system(err, code, "rootfs (overlay): %s", what);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, ERROR_SYSTEM, code, "rootfs (overlay): %s: %s", what, text + 2);
}

/* A directory, or with mapped ids a detached clone of the mount that it is on, from there on. */
static int open_layer(const char *path, int userns_fd, const char *option, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	int rc;

	if (userns_fd < 0)
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return error_system(err, errno, "rootfs (overlay): %s: open %s", option, path);
	rc = userns_fd >= 0 ? mount_make_map_ids(fd, 0, userns_fd) : 0;
	if (rc < 0)
		return error_system(err, -rc,
				    "rootfs (overlay): uidmap: map the ids of %s (its file system may not support that)",
				    path);
	return steal_fd(&fd);
}

/* By our own descriptor's link in /proc: the kernel that takes only paths looks up nothing that somebody could have exchanged. */
static int set_path(const struct overlay *overlay, const char *option, int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fsconfig(overlay->context_fd, FSCONFIG_SET_STRING, option, path, 0) < 0 ? -errno : 0;
}

enum overlay_next overlay_next(int code)
{
	switch (code) {
	case EINVAL:
	case EBADF:
		return OVERLAY_BY_PATH;
	case EOPNOTSUPP:
		return OVERLAY_AT_ONCE;
	}
	return OVERLAY_FAILS;
}

/* -ENOSYS: not even by path. */
static int set_layer(struct overlay *overlay, const char *option, int fd, const char *path, struct error *err)
{
	enum overlay_next next = OVERLAY_BY_PATH;
	char what[512];
	int rc = -EINVAL;

	if (!overlay->by_path) {
		if (fsconfig(overlay->context_fd, FSCONFIG_SET_FD, option, NULL, fd) == 0)
			return 0;
		rc = -errno;
		next = overlay_next(errno);
	}
	if (next == OVERLAY_BY_PATH && (rc = set_path(overlay, option, fd)) == 0) {
		overlay->by_path = true;
		return 0;
	}
	snprintf(what, sizeof(what), "%s: %s", option, path);
	if ((next == OVERLAY_AT_ONCE || rc == -EINVAL) && strcmp(option, "lowerdir+") == 0)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "rootfs (overlay): %s: this kernel takes no single layer (Linux 6.8 does)", what);
	return context_error(overlay, -rc, what, err);
}

/* "lowerdir+" takes one layer a call, the uppermost first: no path is split at colons, so that one may have them. */
static int add_lower(struct overlay *overlay, const struct plan_root_mount *root, struct error *err)
{
	overlay->layer_fds = calloc(root->n_lower + 1, sizeof(int));
	if (!overlay->layer_fds)
		return error_memory(err);
	for (size_t i = 0; i < root->n_lower; i++) {
		int rc, fd = open_layer(root->lower[i], overlay->userns_fd, "lowerdir", err);

		if (fd < 0)
			return fd;
		overlay->layer_fds[overlay->n_layer_fds++] = fd;
		rc = set_layer(overlay, "lowerdir+", fd, root->lower[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Mapped ids are for the layers below: the kernel would make the files of an id-mapped upper layer as who mounts, whom the map lacks,
 * and mount it read-only. An upper layer has to belong to the container's root, which containerd sees to. */
static int check_owner(const struct plan_root_mount *root, int upper_fd, struct error *err)
{
	struct stat status;

	if (!root->mount.idmap)
		return 0;
	if (fstat(upper_fd, &status) < 0)
		return error_system(err, errno, "rootfs (overlay): upperdir: %s", root->upper);
	if (plan_root_mount_is_mapped(&root->mount.uids, status.st_uid) &&
	    plan_root_mount_is_mapped(&root->mount.gids, status.st_gid))
		return 0;
	return error_set(
		err, ERROR_INVALID, EOVERFLOW,
		"rootfs (overlay): upperdir: %s belongs to %u:%u, to which uidmap and gidmap map nobody; chown it to the "
		"host's ids of the container's root",
		root->upper, status.st_uid, status.st_gid);
}

/* Up to the last slash that both have before they differ. */
static size_t common_directory(const char *a, const char *b)
{
	size_t length = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
		if (a[i] == '/')
			length = i + 1;
	}
	return length;
}

static int open_in_mount(int mount_fd, const char *path, const char *option, struct error *err)
{
	int fd = sys_openat2(mount_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);

	return fd < 0 ? error_system(err, errno, "rootfs (overlay): %s: open %s", option, path) : fd;
}

/* The kernel wants the upper layer and its work directory on one mount: a clone with mapped ids of the directory that both are in. */
static int set_mapped_upper(struct overlay *overlay, const struct plan_root_mount *root, struct error *err)
{
	AUTO_CLOSE int upper_fd = -EBADF, work_fd = -EBADF;
	size_t length = common_directory(root->upper, root->work);
	AUTO_FREE char *parent = strndup(root->upper, length);
	int rc, mount_fd;

	if (!parent)
		return error_memory(err);
	mount_fd = open_layer(parent, overlay->userns_fd, "upperdir", err);
	if (mount_fd < 0)
		return mount_fd;
	overlay->layer_fds[overlay->n_layer_fds++] = mount_fd;
	upper_fd = open_in_mount(mount_fd, root->upper + length, "upperdir", err);
	work_fd = upper_fd < 0 ? upper_fd : open_in_mount(mount_fd, root->work + length, "workdir", err);
	if (work_fd < 0)
		return work_fd;
	rc = set_layer(overlay, "upperdir", upper_fd, root->upper, err);
	return rc < 0 ? rc : set_layer(overlay, "workdir", work_fd, root->work, err);
}

static int set_upper(struct overlay *overlay, const struct plan_root_mount *root, struct error *err)
{
	AUTO_CLOSE int upper_fd = -EBADF, work_fd = -EBADF;
	int rc;

	if (!root->upper)
		return 0;
	if (root->maps_upper)
		return set_mapped_upper(overlay, root, err);
	upper_fd = open_layer(root->upper, /* userns_fd= */ -EBADF, "upperdir", err);
	rc = upper_fd < 0 ? upper_fd : check_owner(root, upper_fd, err);
	if (rc < 0)
		return rc;
	work_fd = open_layer(root->work, /* userns_fd= */ -EBADF, "workdir", err);
	if (work_fd < 0)
		return work_fd;
	rc = set_layer(overlay, "upperdir", upper_fd, root->upper, err);
	return rc < 0 ? rc : set_layer(overlay, "workdir", work_fd, root->work, err);
}

/* The file system's own options; the kernel's message on the context says what is wrong with one. */
static int set_options(const struct overlay *overlay, const struct plan_mount *mount, struct error *err)
{
	for (size_t i = 0; i < mount->n_options; i++) {
		const struct plan_mount_option *option = &mount->options[i];
		unsigned command = option->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(overlay->context_fd, command, option->key, option->value, 0) < 0)
			return context_error(overlay, errno, option->key, err);
	}
	return 0;
}

struct creator {
	int context_fd;
	uid_t uid; /* the host's ids of the container's root */
	gid_t gid;
	int code; /* errno, 0: it went well */
};

/* The kernel works on the upper layer as who made the overlay: that has to be somebody whom the maps know, with all privileges. */
static int creator_process(void *data)
{
	struct creator *creator = data;

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0) {
		setfsgid(creator->gid);
		setfsuid(creator->uid);
		if (fsconfig(creator->context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
			return 0;
	}
	creator->code = errno;
	return 1;
}

/* By a process of its own, which shares our memory and our descriptors (as with vfork): its credentials are not ours. */
static int create_as(struct creator *creator, struct error *err)
{
	AUTO_FREE char *stack = aligned_alloc(16, STACK_SIZE);
	pid_t pid;

	if (!stack)
		return error_memory(err);
	pid = clone(creator_process, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, creator);
	if (pid < 0)
		return error_system(err, errno, "rootfs (overlay): clone a process that creates it");
	reap_child(pid);
	return -creator->code;
}

static int create(const struct overlay *overlay, const struct plan_root_mount *root, struct error *err)
{
	struct creator creator = { .context_fd = overlay->context_fd };
	int rc;

	if (!root->maps_upper || !root->upper)
		return fsconfig(overlay->context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0
			       ? context_error(overlay, errno, "creation", err)
			       : 0;
	creator.uid = plan_id_map_outside(&root->mount.uids, 0);
	creator.gid = plan_id_map_outside(&root->mount.gids, 0);
	rc = create_as(&creator, err);
	return creator.code ? context_error(overlay, creator.code, "creation", err) : rc;
}

static int make(struct overlay *overlay, const struct plan_root_mount *root, struct error *err)
{
	int fd, rc = add_lower(overlay, root, err);

	if (rc >= 0)
		rc = set_upper(overlay, root, err);
	if (rc >= 0)
		rc = set_options(overlay, &root->mount, err);
	if (rc >= 0)
		rc = create(overlay, root, err);
	if (rc < 0)
		return rc;
	fd = fsmount(overlay->context_fd, FSMOUNT_CLOEXEC, (unsigned)root->mount.attr_set);
	return fd >= 0 ? fd : context_error(overlay, errno, "mount", err);
}

int overlay_make(const struct plan_root_mount *root, int userns_fd, struct error *err)
{
	AUTO_CLOSE int context_fd = fsopen("overlay", FSOPEN_CLOEXEC);
	struct overlay overlay = { .context_fd = context_fd, .userns_fd = userns_fd };
	int fd;

	if (context_fd < 0)
		return error_system(err, errno, "rootfs (overlay): open a new file system");
	/* As /proc/mounts shows it. */
	(void)fsconfig(context_fd, FSCONFIG_SET_STRING, "source", root->mount.source ?: "overlay", 0);
	fd = make(&overlay, root, err);
	for (size_t i = 0; i < overlay.n_layer_fds; i++)
		close(overlay.layer_fds[i]);
	free(overlay.layer_fds);
	return fd;
}
