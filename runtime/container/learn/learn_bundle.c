#include "container/learn/learn_bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/log.h"

#define DEPTH_MAX 64 /* of a path that a bind is at */
#define PLACE "brig-learn-"
#define ANY "XXXXXX" /* mkdtemp(3) */
#define TRIES 10

/* On a host without merged /usr they are directories, and are bound. */
static const char *const usr_links[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32", NULL };
static const char *const folders[] = { "usr", "proc", "dev", "sys", "tmp", "etc", "root", NULL };
/* What programs read at their start, and nothing that is private to the host. */
static const char *const copied[] = { "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/nsswitch.conf", "/etc/mime.types",
				      NULL };
/* Links to programs in /usr: java, awk and the like on Debian. */
#define ALTERNATIVES "etc/alternatives"
static const char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					   "HOME=/tmp", "LANG=C.UTF-8", "TERM=dumb", NULL };

#define COPY_MAX ((size_t)4 * 1024 * 1024)

/* ---- config.json ---- */

static void write_mount(struct json_writer *writer, const char *destination, const char *type, const char *source)
{
	bool is_bind = strcmp(type, "bind") == 0, is_open = strcmp(destination, "/tmp") == 0;
	/* Where nodes are, they have to open: /dev/null, terminals. */
	bool has_devices = strcmp(destination, "/dev") == 0 || strcmp(type, "devpts") == 0;
	static const char *const devices[] = { "nosuid", "noexec", NULL }, *const plain[] = { "nosuid", "nodev", NULL };
	static const char *const read_only[] = { "rbind", "ro", "nosuid", "nodev", NULL };

	json_write_object_begin(writer);
	json_write_member(writer, "destination", destination);
	json_write_member(writer, "type", type);
	json_write_member(writer, "source", source);
	json_write_key(writer, "options");
	json_write_array_begin(writer);
	for (const char *const *option = is_bind ? read_only : has_devices ? devices : plain; *option; option++)
		json_write_string(writer, *option);
	if (strcmp(type, "tmpfs") == 0)
		json_write_string(writer, is_open ? "mode=1777" : "mode=755");
	if (strcmp(type, "sysfs") == 0)
		json_write_string(writer, "ro");
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static bool is_directory(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void write_mounts(struct json_writer *writer, const struct learn_bundle *bundle)
{
	char path[16];

	json_write_key(writer, "mounts");
	json_write_array_begin(writer);
	write_mount(writer, "/proc", "proc", "proc");
	write_mount(writer, "/dev", "tmpfs", "tmpfs");
	write_mount(writer, "/dev/shm", "tmpfs", "shm");
	write_mount(writer, "/dev/pts", "devpts", "devpts");
	write_mount(writer, "/sys", "sysfs", "sysfs");
	write_mount(writer, "/tmp", "tmpfs", "tmpfs");
	write_mount(writer, "/usr", "bind", "/usr");
	for (size_t i = 0; usr_links[i]; i++) {
		snprintf(path, sizeof(path), "/%s", usr_links[i]);
		if (is_directory(path))
			write_mount(writer, path, "bind", path);
	}
	for (size_t i = 0; bundle->binds && bundle->binds[i]; i++)
		write_mount(writer, bundle->binds[i], "bind", bundle->binds[i]);
	json_write_array_end(writer);
}

static void write_list(struct json_writer *writer, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		json_write_string(writer, list[i]);
}

static void write_process(struct json_writer *writer, const struct learn_bundle *bundle)
{
	json_write_key(writer, "process");
	json_write_object_begin(writer);
	json_write_key(writer, "args");
	json_write_array_begin(writer);
	write_list(writer, bundle->argv);
	json_write_array_end(writer);
	json_write_key(writer, "env");
	json_write_array_begin(writer);
	write_list(writer, environment);
	write_list(writer, bundle->env);
	json_write_array_end(writer);
	json_write_member(writer, "cwd", bundle->cwd ? bundle->cwd : "/");
	json_write_key(writer, "user");
	json_write_object_begin(writer);
	json_write_member_int(writer, "uid", 0);
	json_write_member_int(writer, "gid", 0);
	json_write_object_end(writer);
	json_write_member_bool(writer, "noNewPrivileges", true);
	json_write_object_end(writer);
}

static void write_config(const struct learn_bundle *bundle, struct buffer *out)
{
	static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", NULL };
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "ociVersion", "1.0.2");
	json_write_member(&writer, "hostname", "learn");
	json_write_key(&writer, "root");
	json_write_object_begin(&writer);
	json_write_member(&writer, "path", "rootfs");
	json_write_member_bool(&writer, "readonly", true);
	json_write_object_end(&writer);
	write_process(&writer, bundle);
	write_mounts(&writer, bundle);
	json_write_key(&writer, "linux");
	json_write_object_begin(&writer);
	json_write_key(&writer, "namespaces");
	json_write_array_begin(&writer);
	for (size_t i = 0; namespaces[i]; i++) {
		json_write_object_begin(&writer);
		json_write_member(&writer, "type", namespaces[i]);
		json_write_object_end(&writer);
	}
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	json_write_object_end(&writer);
}

/* ---- the root file system ---- */

static int copy_file(int root_fd, const char *path, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct error ignored;

	/* A host that lacks it, or has something odd there, has a container without. */
	if (file_read_at(AT_FDCWD, path, COPY_MAX, &text, &ignored) < 0)
		return 0;
	return file_create_at(root_fd, path + 1, &text, 0644, err);
}

static int write_users(int root_fd, struct error *err)
{
	static const char users[] =
		"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
			  groups[] = "root:x:0:\nnogroup:x:65534:\n", hosts[] = "127.0.0.1 localhost learn\n";
	const struct buffer user_text = { .data = (char *)users, .length = sizeof(users) - 1 },
			    group_text = { .data = (char *)groups, .length = sizeof(groups) - 1 },
			    host_text = { .data = (char *)hosts, .length = sizeof(hosts) - 1 };
	int r = file_create_at(root_fd, "etc/passwd", &user_text, 0644, err);

	if (r >= 0)
		r = file_create_at(root_fd, "etc/group", &group_text, 0644, err);
	return r < 0 ? r : file_create_at(root_fd, "etc/hosts", &host_text, 0644, err);
}

static int link_usr(int root_fd, const char *name, struct error *err)
{
	char path[16], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/%s", name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	return symlinkat(target, root_fd, name) < 0 ? error_system(err, errno, "make the link %s", name) : 0;
}

/* Of names that lead nowhere inside nothing comes. */
static int copy_alternatives(int root_fd, struct error *err)
{
	char path[sizeof(ALTERNATIVES) + NAME_MAX + 1], target[PATH_MAX];
	DIR *directory = opendir("/" ALTERNATIVES);
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return 0;
	if (mkdirat(root_fd, ALTERNATIVES, 0755) < 0)
		r = error_system(err, errno, "make " ALTERNATIVES);
	while (r >= 0 && (entry = readdir(directory))) {
		ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		snprintf(path, sizeof(path), ALTERNATIVES "/%s", entry->d_name);
		if (symlinkat(target, root_fd, path) < 0)
			r = error_system(err, errno, "make the link %s", path);
	}
	closedir(directory);
	return r;
}

static int fill_root(int root_fd, struct error *err)
{
	int r = 0;

	for (size_t i = 0; folders[i] && r >= 0; i++)
		if (mkdirat(root_fd, folders[i], 0755) < 0)
			r = error_system(err, errno, "make %s", folders[i]);
	for (size_t i = 0; usr_links[i] && r >= 0; i++)
		r = link_usr(root_fd, usr_links[i], err);
	for (size_t i = 0; copied[i] && r >= 0; i++)
		r = copy_file(root_fd, copied[i], err);
	if (r >= 0)
		r = copy_alternatives(root_fd, err);
	return r < 0 ? r : write_users(root_fd, err);
}

/* ---- away with it ---- */

/* Stays on one file system, and does not follow links. Returns 0 or a negative errno. */
static int remove_below(int parent_fd, const char *name, dev_t device, unsigned depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	struct stat status;
	struct dirent *entry;
	DIR *directory;

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return unlinkat(parent_fd, name, 0) < 0 ? -errno : 0;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || status.st_dev != device || depth == 0) {
		close(fd);
		return -EXDEV;
	}
	directory = fd_open_directory_stream(fd);
	if (!directory)
		return -ENOMEM;
	while (r == 0 && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_below(fd, entry->d_name, device, depth - 1);
	closedir(directory);
	if (r == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static void remove_place(const char *path)
{
	struct stat status;
	int r = lstat(path, &status) < 0 ? -errno : remove_below(AT_FDCWD, path, status.st_dev, DEPTH_MAX);

	if (r < 0 && r != -ENOENT)
		log_warning("the directory %s is left over: %s", path, strerrordesc_np(-r));
}

void learn_bundle_remove(struct learn_place *place)
{
	remove_place(place->path);
	close_and_reset(&place->fd);
}

/* A brig that was killed has left it. Its container, if there still is one, can do nothing more: who answered its calls is gone. */
static void sweep_one(int folder_fd, const char *name)
{
	AUTO_CLOSE int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_below(folder_fd, name, status.st_dev, DEPTH_MAX);
}

/* Not all that begins so: what somebody calls brig-learn-results is his. */
static bool is_place(const char *name)
{
	return strncmp(name, PLACE, strlen(PLACE)) == 0 && strlen(name) == strlen(PLACE ANY);
}

static void sweep(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (is_place(entry->d_name))
			sweep_one(dirfd(directory), entry->d_name);
	if (directory)
		closedir(directory);
}

/* ---- the whole ---- */

static int fill(const struct learn_bundle *bundle, const struct learn_place *place, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer config = { 0 };
	AUTO_CLOSE int root_fd = -EBADF;

	/* Container root is an ordinary user outside, who has to get to its root file system; nobody else has to see what is run. */
	if (fchmod(place->fd, 0711) < 0 || mkdirat(place->fd, "rootfs", 0755) < 0)
		return error_system(err, errno, "make the bundle %s", place->path);
	root_fd = openat(place->fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (root_fd < 0)
		return error_system(err, errno, "open %s/rootfs", place->path);
	write_config(bundle, &config);
	if (config.failed)
		return error_memory(err);
	if (file_create_at(place->fd, "config.json", &config, 0600, err) < 0)
		return err ? -err->code : -EIO;
	return fill_root(root_fd, err);
}

/* Somebody who sweeps may be quicker than our lock: then it is gone, and there is none (0). */
static int make_place(const char *folder, struct learn_place *ret, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct stat status;
	int r = snprintf(ret->path, sizeof(ret->path), "%s/" PLACE ANY, folder);

	if (r >= (int)sizeof(ret->path))
		return error_set(err, ERROR_INVALID, ENAMETOOLONG, "TMPDIR has a long path");
	if (!mkdtemp(ret->path))
		return error_system(err, errno, "make the directory %s for the bundle", ret->path);
	fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &status) < 0)
		return error_system(err, errno, "lock the directory %s", ret->path);
	if (status.st_nlink == 0)
		return 0;
	ret->fd = steal_fd(&fd);
	return 1;
}

int learn_bundle_make(const struct learn_bundle *bundle, struct learn_place *ret, struct error *err)
{
	const char *asked = secure_getenv("TMPDIR"), *folder = asked && asked[0] == '/' ? asked : "/tmp";
	struct learn_place place = { .fd = -EBADF };
	mode_t mask;
	int r = 0;

	sweep(folder);
	for (int i = 0; i < TRIES && r == 0; i++)
		r = make_place(folder, &place, err);
	if (r == 0)
		return error_set(err, ERROR_SYSTEM, EBUSY,
				 "directories in %s for the bundle go as soon as they are made", folder);
	if (r < 0)
		return r;
	mask = umask(0022);
	r = fill(bundle, &place, err);
	umask(mask);
	if (r < 0)
		learn_bundle_remove(&place);
	else
		*ret = place;
	return r;
}
