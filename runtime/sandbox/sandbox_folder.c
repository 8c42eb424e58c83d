#include "sandbox/sandbox_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

#define FOLDER ".sandbox"
#define ASIDE "aside-"
#define INFO_ARENA ((size_t)64 * 1024 * 1024)
#define TRIES 32		     /* half a second in all */
#define LOCK_PAUSE_LEAST (50 * 1000) /* nanoseconds */
#define LOCK_PAUSE_MOST (20 * 1000 * 1000)

/* A folder being taken away. Folders in its folders move up into it and are emptied there: trees of any depth (an image's can be 128
 * folders deep, and more through links) take three descriptors. */
struct removal {
	int fd;
	unsigned n_moved;
};

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int move_up(struct removal *removal, int from_fd, const char *name)
{
	char aside[32];

	do {
		snprintf(aside, sizeof(aside), ASIDE "%u", removal->n_moved++);
		if (renameat(from_fd, name, removal->fd, aside) == 0)
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
	return -errno;
}

/* O_NOFOLLOW: what lies in there was put there by a program that nobody trusts. */
static DIR *open_dir(int dir_fd, const char *name)
{
	return fd_open_directory_stream(openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* 0: gone; 1: a folder that has something in it. */
static int remove_simple(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -errno;
}

static int empty_folder(struct removal *removal, const char *name)
{
	DIR *dir = open_dir(removal->fd, name);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return -errno;
	while (rc >= 0 && (entry = readdir(dir))) {
		rc = is_dot(entry->d_name) ? 0 : remove_simple(dirfd(dir), entry->d_name);
		if (rc == 1)
			rc = move_up(removal, dirfd(dir), entry->d_name);
	}
	closedir(dir);
	return rc;
}

/* 1: there was something. What was moved up meanwhile may be left. */
static int remove_content(struct removal *removal, DIR *dir)
{
	struct dirent *entry;
	int rc = 0, was_there = 0;

	rewinddir(dir);
	while (rc >= 0 && (entry = readdir(dir))) {
		if (is_dot(entry->d_name))
			continue;
		was_there = 1;
		rc = remove_simple(removal->fd, entry->d_name);
		if (rc == 1)
			rc = empty_folder(removal, entry->d_name);
	}
	return rc < 0 ? rc : was_there;
}

/* Ends because each round takes away what it finds and moves up only what was there before: nobody else is in the folder any
 * more. */
int sandbox_folder_remove(int dir_fd, const char *name)
{
	struct removal removal = { 0 };
	DIR *dir;
	int rc = remove_simple(dir_fd, name);

	if (rc <= 0)
		return rc;
	dir = open_dir(dir_fd, name);
	if (!dir)
		return -errno;
	removal.fd = dirfd(dir);
	do {
		rc = remove_content(&removal, dir);
	} while (rc > 0);
	closedir(dir);
	return rc < 0 || unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 ? rc : -errno;
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

/* Without a state yet it can't tell whose it is: of somebody who makes it this very moment, or of a brig that was killed over it. */
static int check_nobody_makes(int folder_fd, const char *name, struct error *err)
{
	AUTO_CLOSE int root_fd = openat(folder_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;

	fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_system(err, errno, "a container of that name is being made");
	return 0;
}

/* By now the name may be that of a container which is no sandbox: that one stays. Ours have our folder as their bundle. */
static int delete_container(const struct brig *brig, int folder_fd, const char *name, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(INFO_ARENA);
	struct stat folder, bundle;
	struct brig_info info;
	int rc = arena ? brig_state(brig, name, arena, &info, err) : error_memory(err);

	if (rc < 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : rc;
	if (fstat(folder_fd, &folder) < 0)
		return error_system(err, errno, "fstat");
	if (*info.bundle == '\0')
		rc = check_nobody_makes(folder_fd, name, err);
	else if (stat(info.bundle, &bundle) < 0 || bundle.st_dev != folder.st_dev || bundle.st_ino != folder.st_ino)
		return 0;
	return rc < 0 ? rc : brig_delete(brig, name, /* force= */ true, err);
}

/* What a brig that was killed has left. The caller has it locked. */
static void take_away(const struct brig *brig, int folder_fd, const char *name)
{
	struct error err = { 0 };
	int rc;

	if (delete_container(brig, folder_fd, name, &err) < 0) {
		log_warning("sandbox %s was left by a brig that was killed, and can't be taken away: %s", name,
			    err.message);
		return;
	}
	rc = sandbox_folder_remove(folder_fd, name);
	if (rc < 0)
		log_warning("remove what is left of sandbox %s: %s", name, strerrordesc_np(-rc));
}

static void sweep_one(const struct brig *brig, int folder_fd, const char *name)
{
	AUTO_CLOSE int fd = open_locked(folder_fd, name);

	if (fd >= 0)
		take_away(brig, folder_fd, name);
}

static void sweep(const struct brig *brig, int folder_fd)
{
	AUTO(closedir) DIR *dir = fd_open_directory_stream(fcntl(folder_fd, F_DUPFD_CLOEXEC, 3));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			sweep_one(brig, folder_fd, entry->d_name);
}

static int rest(struct timespec *pause, const struct pace *pace, struct error *err)
{
	int rc = pace_check(pace, err);

	if (rc < 0)
		return rc;
	nanosleep(pause, NULL);
	pause->tv_nsec = pause->tv_nsec * 2 < LOCK_PAUSE_MOST ? pause->tv_nsec * 2 : LOCK_PAUSE_MOST;
	return 0;
}

int sandbox_folder_lock(int fd, const struct pace *pace, struct error *err)
{
	struct timespec pause = { .tv_nsec = LOCK_PAUSE_LEAST };

	while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		int rc = errno == EWOULDBLOCK || errno == EINTR ? rest(&pause, pace, err)
								: error_system(err, errno, "flock");

		if (rc < 0)
			return error_prefix(err, "another brig has locked the root file system of all sandboxes");
	}
	return 0;
}

/* One look: a locked folder that is new, or a negative errno: -EAGAIN where another look may find one, -EBUSY where it is somebody's. *made: we made one
 * by that name, which is still there or was taken away. */
static int make_locked(const struct brig *brig, int folder_fd, const char *id, bool *made)
{
	bool is_new = mkdirat(folder_fd, id, 0700) == 0;
	AUTO_CLOSE int fd = -EBADF;

	if (!is_new && errno != EEXIST)
		return -errno;
	*made |= is_new;
	fd = open_locked(folder_fd, id);
	if (fd >= 0 && is_new)
		return steal_fd(&fd);
	/* Of an earlier sandbox of that name. */
	if (fd >= 0)
		take_away(brig, folder_fd, id);
	/* Between its mkdir(2) and its lock another brig takes a new one for one that was left, and takes it away. */
	if (fd == -EWOULDBLOCK && !*made)
		return -EBUSY;
	return fd >= 0 || fd == -ENOENT || fd == -EWOULDBLOCK ? -EAGAIN : fd;
}

static int make_own(const struct brig *brig, int folder_fd, const char *id, const struct pace *pace, struct error *err)
{
	struct timespec pause = { .tv_nsec = LOCK_PAUSE_LEAST };
	bool made = false;
	int fd = -EAGAIN, rc = 0;

	for (int i = 0; i < TRIES && rc >= 0 && fd == -EAGAIN; i++) {
		fd = make_locked(brig, folder_fd, id, &made);
		if (fd == -EAGAIN)
			rc = rest(&pause, pace, err);
	}
	if (rc < 0)
		return rc;
	if (fd == -EBUSY || fd == -EAGAIN)
		return error_set(err, ERROR_EXISTS, EEXIST, "there is a sandbox %s already; choose another --name", id);
	return fd < 0 ? error_system(err, -fd, "make and lock the directory of sandbox %s", id) : fd;
}

int sandbox_folder_open(const struct brig *brig, const char *id, const struct pace *pace, struct sandbox_folder *ret,
			struct error *err)
{
	*ret = (struct sandbox_folder){ .folder_fd = -EBADF, .own_fd = -EBADF, .id = id, .pace = *pace };
	if (asprintf(&ret->path, "%s/" FOLDER, brig->root) < 0) {
		ret->path = NULL;
		return error_memory(err);
	}
	ret->folder_fd = file_make_directory(ret->path, 0700, err);
	if (ret->folder_fd < 0)
		return ret->folder_fd;
	sweep(brig, ret->folder_fd);
	ret->own_fd = make_own(brig, ret->folder_fd, id, pace, err);
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
