#include "sandbox/sandbox_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "sandbox/sandbox_root.h"

#define FOLDER ".sandbox"
#define DEPTH_MAX 64
#define TRIES 8

static int remove_below(int fd, unsigned depth);

static int remove_entry(int dir_fd, const char *name, unsigned depth)
{
	AUTO_CLOSE int fd = -EBADF;
	int rc;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = remove_below(fd, depth + 1);
	return rc < 0 || unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 ? rc : -errno;
}

static int remove_below(int fd, unsigned depth)
{
	DIR *dir = depth < DEPTH_MAX ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 3)) : NULL;
	struct dirent *entry;
	int rc = dir ? 0 : -ELOOP;

	while (rc >= 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = remove_entry(fd, entry->d_name, depth);
	if (dir)
		closedir(dir);
	return rc;
}

int sandbox_folder_remove(int dir_fd, const char *name)
{
	return remove_entry(dir_fd, name, 0);
}

/* Open and locked, and still what the name means. A negative errno: EWOULDBLOCK where somebody has it. */
static int open_locked(int folder_fd, const char *name)
{
	AUTO_CLOSE int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat found, named;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &found) < 0 ||
	    fstatat(folder_fd, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return found.st_ino == named.st_ino ? steal_fd(&fd) : -ENOENT;
}

static void take_away(const struct brig *brig, int folder_fd, const char *name)
{
	AUTO_CLOSE int fd = open_locked(folder_fd, name);
	struct error err = { 0 };
	int rc;

	if (fd < 0)
		return;
	if (brig_delete(brig, name, /* force= */ true, &err) < 0) {
		log_warning("sandbox %s was left by a brig that was killed, and can't be taken away: %s", name,
			    err.message);
		return;
	}
	rc = sandbox_folder_remove(folder_fd, name);
	if (rc < 0)
		log_warning("remove what is left of sandbox %s: %s", name, strerrordesc_np(-rc));
}

static void sweep(const struct brig *brig, int folder_fd)
{
	DIR *dir = fdopendir(fcntl(folder_fd, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !sandbox_root_is_shared(entry->d_name))
			take_away(brig, folder_fd, entry->d_name);
	if (dir)
		closedir(dir);
}

static int make_own(int folder_fd, const char *id, struct error *err)
{
	int fd = -EEXIST;

	/* Another brig may take a directory away before it is locked. */
	for (int i = 0; i < TRIES && (fd == -EEXIST || fd == -ENOENT); i++) {
		if (mkdirat(folder_fd, id, 0700) < 0 && errno != EEXIST)
			return error_system(err, errno, "make a directory for sandbox %s", id);
		fd = open_locked(folder_fd, id);
	}
	if (fd == -EWOULDBLOCK)
		return error_set(err, ERROR_EXISTS, EEXIST, "there is a sandbox %s already; choose another --name", id);
	return fd < 0 ? error_system(err, -fd, "lock the directory of sandbox %s", id) : fd;
}

int sandbox_folder_open(const struct brig *brig, const char *id, struct sandbox_folder *ret, struct error *err)
{
	*ret = (struct sandbox_folder){ .folder_fd = -EBADF, .own_fd = -EBADF, .id = id };
	if (asprintf(&ret->path, "%s/" FOLDER, brig->root) < 0) {
		ret->path = NULL;
		return error_memory(err);
	}
	ret->folder_fd = file_make_directory(ret->path, 0700, err);
	if (ret->folder_fd < 0)
		return ret->folder_fd;
	sweep(brig, ret->folder_fd);
	ret->own_fd = make_own(ret->folder_fd, id, err);
	return ret->own_fd < 0 ? ret->own_fd : 0;
}

void sandbox_folder_close(struct sandbox_folder *folder)
{
	int rc = folder->own_fd >= 0 ? sandbox_folder_remove(folder->folder_fd, folder->id) : 0;

	if (rc < 0)
		log_warning("remove the directory of sandbox %s: %s", folder->id, strerrordesc_np(-rc));
	close_and_reset(&folder->own_fd);
	close_and_reset(&folder->folder_fd);
	free(steal_ptr(&folder->path));
}
