#include "child/mount_make.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

/* The kernel explains refused options on the context's descriptor ("e tmpfs: Bad value for 'mode'"): better than an errno. */
static int filesystem_error(int context_fd, const char *type, const char *what, struct error *err)
{
	int code = errno;
	char text[256];
	ssize_t n = read(context_fd, text, sizeof(text) - 1);

	if (n <= 2)
		return error_system(err, code, "%s of a new %s", what, type);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, ERROR_SYSTEM, code, "%s of a new %s: %s", what, type, text + 2);
}

static int configure(int context_fd, const char *type, const struct plan_mount_option *option, struct error *err)
{
	unsigned command = option->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	if (fsconfig(context_fd, command, option->key, option->value, 0) < 0)
		return filesystem_error(context_fd, type, option->key, err);
	return 0;
}

int mount_make_filesystem(const char *type, const struct plan_mount_option *options, size_t n, uint64_t attributes,
			  struct error *err)
{
	AUTO_CLOSE int context_fd = fsopen(type, FSOPEN_CLOEXEC);
	int rc, fd;

	if (context_fd < 0)
		return error_system(err, errno, "open a new file system of type %s", type);
	for (size_t i = 0; i < n; i++) {
		rc = configure(context_fd, type, &options[i], err);
		if (rc < 0)
			return rc;
	}
	if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return filesystem_error(context_fd, type, "creation", err);
	fd = fsmount(context_fd, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return fd >= 0 ? fd : filesystem_error(context_fd, type, "mount", err);
}

/* An atime setting replaces the whole field (mount_setattr(2)): the field has to be cleared with it. */
static uint64_t clear_mask(uint64_t set, uint64_t clear)
{
	return set & MOUNT_ATTR__ATIME ? clear | MOUNT_ATTR__ATIME : clear;
}

static int set_attributes(int mount_fd, const struct plan_mount *mount, struct error *err)
{
	struct mount_attr attr = { .attr_set = mount->attr_set,
				   .attr_clr = clear_mask(mount->attr_set, mount->attr_clear),
				   .propagation = mount->propagation_recursive ? 0 : mount->propagation };
	struct mount_attr all = { .attr_set = mount->rattr_set,
				  .attr_clr = clear_mask(mount->rattr_set, mount->rattr_clear),
				  .propagation = mount->propagation_recursive ? mount->propagation : 0 };

	if ((all.attr_set || all.attr_clr || all.propagation) && sys_mount_setattr(mount_fd, AT_RECURSIVE, &all) < 0)
		return error_system(err, errno, "set the mount's recursive options");
	if ((attr.attr_set || attr.attr_clr || attr.propagation) && sys_mount_setattr(mount_fd, 0, &attr) < 0)
		return error_system(err, errno, "set the mount's options");
	return 0;
}

int mount_make_map_ids(int mount_fd, unsigned flags, int userns_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };

	return sys_mount_setattr(mount_fd, flags, &attr) < 0 ? -errno : 0;
}

static int map_ids(int mount_fd, const struct plan_mount *mount, int userns_fd, struct error *err)
{
	int rc = mount_make_map_ids(mount_fd, mount->idmap_recursive ? AT_RECURSIVE : 0, userns_fd);

	return rc < 0 ? error_system(err, -rc, "map the ids of %s (its file system may not support id-mapped mounts)",
				     mount->source)
		      : 0;
}

/* What was looked at when the plan was made, and nothing that took its place since then: held against the clone itself. */
static int check_source(int fd, const struct plan_mount *mount, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat the source %s", mount->source);
	if (status.st_dev == mount->source_device && status.st_ino == mount->source_inode)
		return 0;
	return error_set(err, ERROR_REFUSED, ESTALE,
			 "the source %s is not what it was a moment ago, when it was looked at: somebody changes it",
			 mount->source);
}

/* A magic link (/proc/PID/fd/N) is no name of anything: where it leads is up to whoever has the file open. */
static int clone_source(const struct plan_mount *mount, struct error *err)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (mount->recursive ? AT_RECURSIVE : 0);
	AUTO_CLOSE int source_fd = -EBADF, fd = -EBADF;
	int rc = 0;

	if (mount->source_checked) {
		source_fd = sys_openat2(AT_FDCWD, mount->source, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
		fd = source_fd < 0 ? -1 : open_tree(source_fd, "", flags | AT_EMPTY_PATH);
	} else {
		fd = open_tree(AT_FDCWD, mount->source, flags);
	}
	if (fd < 0 && errno == ELOOP && mount->source_checked)
		return error_set(err, ERROR_REFUSED, ELOOP,
				 "the source %s leads through a magic link, as procfs has them: name the file itself",
				 mount->source);
	if (fd < 0)
		return error_system(err, errno, "open the source %s", mount->source);
	if (mount->source_checked)
		rc = check_source(fd, mount, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

static int make_bind(const struct plan_mount *mount, int userns_fd, struct error *err)
{
	AUTO_CLOSE int fd = clone_source(mount, err);
	int rc;

	if (fd < 0)
		return fd;
	/* Before read-only: a mount whose ids are mapped must still be writable by itself. The floor's maps come with the container's
	 * user namespace: prepare_map_ids. */
	if (mount->idmap && !mount->idmap_by_floor) {
		rc = map_ids(fd, mount, userns_fd, err);
		if (rc < 0)
			return rc;
	}
	rc = set_attributes(fd, mount, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

/* As an extended attribute, which takes another descriptor than a new mount's. */
static int set_label(int mount_fd, const char *label, struct error *err)
{
	AUTO_CLOSE int top_fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top_fd < 0 || fsetxattr(top_fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
		return error_system(err, errno, "linux.mountLabel: set the label %.200s", label);
	return 0;
}

static int make_filesystem(const struct plan_mount *mount, struct error *err)
{
	struct plan_mount_option source = { .key = "source", .value = mount->source };
	/* One copy with the source in front: fsconfig takes it as just another key. */
	AUTO_FREE struct plan_mount_option *options = calloc(mount->n_options + 1, sizeof(*options));
	bool filled = mount->fill || mount->label;
	AUTO_CLOSE int fd = -EBADF;
	int rc = 0;

	if (!options)
		return error_memory(err);
	options[0] = source;
	if (mount->n_options)
		memcpy(options + 1, mount->options, mount->n_options * sizeof(*options));
	/* What has to be filled first becomes read-only after that: mounts_make_readonly. */
	fd = mount_make_filesystem(mount->type, options + (mount->source ? 0 : 1),
				   mount->n_options + (mount->source ? 1 : 0),
				   filled ? mount->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY : mount->attr_set, err);
	if (fd >= 0 && mount->label)
		rc = set_label(fd, mount->label, err);
	if (fd < 0 || rc < 0)
		return fd < 0 ? fd : rc;
	return steal_fd(&fd);
}

int mount_make_clone(int source_fd, const struct plan_mount *mount, struct error *err)
{
	AUTO_CLOSE int fd = open_tree(source_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int rc = fd < 0 ? error_system(err, errno, "clone a mount") : set_attributes(fd, mount, err);

	return rc < 0 ? error_prefix(err, "%s (%s)", mount->where, mount->destination) : steal_fd(&fd);
}

static int make(const struct plan_mount *mount, int userns_fd, struct error *err)
{
	switch (mount->kind) {
	case PLAN_MOUNT_BIND:
		return make_bind(mount, userns_fd, err);
	case PLAN_MOUNT_FILESYSTEM:
		return make_filesystem(mount, err);
	case PLAN_MOUNT_CGROUP:
		/* As the cgroup namespace that we are in shows it: the container's group is its root. */
		return mount_make_filesystem("cgroup2", NULL, 0, mount->attr_set, err);
	}
	return error_set(err, ERROR_INTERNAL, EINVAL, "unknown kind of mount");
}

/* Of what is new; a clone has its own by then. */
static int set_propagation(int mount_fd, const struct plan_mount *mount, struct error *err)
{
	struct mount_attr attr = { .propagation = mount->propagation };

	if (mount->kind == PLAN_MOUNT_BIND || !mount->propagation)
		return 0;
	if (sys_mount_setattr(mount_fd, 0, &attr) < 0)
		return error_system(err, errno, "set the mount's propagation");
	return 0;
}

int mount_make(const struct plan_mount *mount, int userns_fd, struct error *err)
{
	AUTO_CLOSE int fd = make(mount, userns_fd, err);
	int rc = fd < 0 ? fd : set_propagation(fd, mount, err);

	return rc < 0 ? error_prefix(err, "%s (%s)", mount->where, mount->destination) : steal_fd(&fd);
}

int mount_make_attach(int mount_fd, int target_fd)
{
	return move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno
													      : 0;
}
