#include "audit/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

/* A turn is some microseconds; who holds the lock for longer is stopped, or the disk is. */
#define LOCK_TIMEOUT_MS 2000

int trail_split(const char *path, char directory[static PATH_MAX], char name[static NAME_MAX + 1], struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? strlen(slash + 1) : 0;

	if (path[0] != '/' || length == 0 || length > TRAIL_NAME_MAX || (size_t)(slash - path) + 2 > PATH_MAX)
		return error_invalid(err,
				     "the audit trail \"%.200s\": expected an absolute path, with at most %u bytes in "
				     "the file's name",
				     path, TRAIL_NAME_MAX);
	snprintf(directory, PATH_MAX, "%.*s/", (int)(slash - path), path);
	snprintf(name, NAME_MAX + 1, "%s", slash + 1);
	return 0;
}

/* Whoever may open it could hold the lock for ever, or put another file in our file's place. */
static int check_directory(int fd, const char *directory, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat the audit trail's directory %s", directory);
	if (status.st_uid != geteuid() || status.st_mode & 0077)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "the audit trail's directory %s belongs to uid %u with mode %04o: it has to be ours, and "
				 "closed to all others (chmod 0700 it, or name a file in a directory of its own)",
				 directory, status.st_uid, status.st_mode & 07777);
	return 0;
}

static int lock(int dir_fd, bool shared, const char *directory, struct error *err)
{
	int rc = fd_lock(dir_fd, shared ? LOCK_SH : LOCK_EX, LOCK_TIMEOUT_MS);

	if (rc == -ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, EBUSY,
				 "the audit trail's directory %s is locked for more than two seconds: a brig that writes "
				 "there hangs or was stopped",
				 directory);
	return rc < 0 ? error_system(err, -rc, "lock the audit trail's directory %s", directory) : 0;
}

int trail_open_directory(const char *path, bool make, bool shared, struct error *err)
{
	char directory[PATH_MAX], name[NAME_MAX + 1];
	AUTO_CLOSE int fd = -EBADF;
	int rc = trail_split(path, directory, name, err);

	if (rc < 0)
		return rc;
	/* Without the slash at its end: a link in the directory's own place is not followed then, those on the way to it are. */
	directory[strlen(directory) - 1] = '\0';
	fd = open(*directory ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && make)
		fd = file_make_directory(directory, 0700, err);
	else if (fd < 0)
		return error_system(err, errno, "open the audit trail's directory %s", directory);
	if (fd < 0)
		return error_prefix(err, "the audit trail %s", path);
	rc = check_directory(fd, directory, err);
	if (rc >= 0)
		rc = lock(fd, shared, directory, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

/* One link: with a second one somebody could keep, in a place of his own, what rotation removes. */
static int check_status(const struct stat *status, const char *name, struct error *err)
{
	if (!S_ISREG(status->st_mode))
		return error_set(err, ERROR_REFUSED, EPERM, "the audit trail %s is not a regular file: move it away",
				 name);
	if (status->st_uid != geteuid() || status->st_mode & 0077 || status->st_nlink > 1)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "the audit trail %s belongs to uid %u with mode %04o and %lu links: it has to be ours, "
				 "with mode 0600 and one link (move it away, and brig makes a new one)",
				 name, status->st_uid, status->st_mode & 07777, (unsigned long)status->st_nlink);
	return 0;
}

static int open_file(int dir_fd, const char *name, int flags, struct stat *ret, struct error *err)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us before fstat tells. */
	AUTO_CLOSE int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	int rc;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERROR_REFUSED, ELOOP, "the audit trail %s is a symbolic link: move it away", name);
	if (fd < 0)
		return error_system(err, errno, "open the audit trail %s", name);
	if (fstat(fd, ret) < 0)
		return error_system(err, errno, "stat the audit trail %s", name);
	rc = check_status(ret, name, err);
	return rc < 0 ? rc : steal_fd(&fd);
}

int trail_open_file(int dir_fd, const char *name, int flags, uint64_t *ret_size, struct error *err)
{
	struct stat status;
	int fd = open_file(dir_fd, name, flags, &status, err);

	if (fd >= 0 && ret_size)
		*ret_size = (uint64_t)status.st_size;
	return fd;
}

/* A writer that was killed in the middle of its write(2) has left half a line, and nobody has been told of that event: it goes. */
static int mend(struct trail *trail, struct error *err)
{
	AUTO_FREE char *tail = NULL;
	size_t length = trail->size < AUDIT_LINE_MAX ? trail->size : AUDIT_LINE_MAX;
	const char *newline;
	char last;

	if (trail->size == 0 || (pread(trail->fd, &last, 1, (off_t)trail->size - 1) == 1 && last == '\n'))
		return 0;
	tail = malloc(length);
	if (!tail)
		return error_memory(err);
	if (pread(trail->fd, tail, length, (off_t)(trail->size - length)) != (ssize_t)length)
		return error_system(err, errno, "read the end of the audit trail %s", trail->name);
	newline = memrchr(tail, '\n', length);
	/* Longer than any line of ours: not ours to take away. */
	if (!newline && trail->size > length)
		return error_set(err, ERROR_REFUSED, EUCLEAN,
				 "the audit trail %s ends in what brig has not written: move it away", trail->name);
	trail->size -= newline ? (size_t)(tail + length - newline) - 1 : length;
	if (ftruncate(trail->fd, (off_t)trail->size) < 0)
		return error_system(err, errno, "remove half a line from the audit trail %s", trail->name);
	log_warning("half a line was removed from the end of the audit trail %s: its writer had been killed",
		    trail->name);
	return 0;
}

/* O_APPEND: whoever else writes to it (logrotate's copytruncate, an administrator) moves the end, and we follow. */
static int open_current(struct trail *trail, struct error *err)
{
	struct stat status;
	int fd = open_file(trail->dir_fd, trail->name, O_RDWR | O_APPEND | O_CREAT, &status, err);

	if (fd < 0)
		return fd;
	close_and_reset(&trail->fd);
	trail->fd = fd;
	trail->size = (uint64_t)status.st_size;
	trail->device = status.st_dev;
	trail->inode = status.st_ino;
	return mend(trail, err);
}

/* Is the file that we have still the trail's? Somebody may have rotated it, or moved it away. */
static int look_again(struct trail *trail, struct error *err)
{
	struct stat status;
	int rc;

	if (fstatat(trail->dir_fd, trail->name, &status, AT_SYMLINK_NOFOLLOW) < 0 || status.st_ino != trail->inode ||
	    status.st_dev != trail->device)
		return open_current(trail, err);
	rc = check_status(&status, trail->name, err);
	if (rc < 0 || (uint64_t)status.st_size == trail->size)
		return rc;
	trail->size = (uint64_t)status.st_size;
	return mend(trail, err);
}

static int open_anew(struct trail *trail, struct error *err)
{
	trail->dir_fd = trail_open_directory(trail->target->path, /* make= */ true, /* shared= */ false, err);
	return trail->dir_fd < 0 ? trail->dir_fd : open_current(trail, err);
}

static int open_kept(struct trail *trail, struct audit_kept *kept, const char *directory, struct error *err)
{
	int rc;

	if (!kept || !kept->path || strcmp(kept->path, trail->target->path) != 0)
		return open_anew(trail, err);
	trail->dir_fd = steal_fd(&kept->dir_fd);
	trail->fd = steal_fd(&kept->fd);
	trail->size = kept->size;
	trail->device = kept->device;
	trail->inode = kept->inode;
	rc = lock(trail->dir_fd, /* shared= */ false, directory, err);
	return rc < 0 ? rc : look_again(trail, err);
}

int trail_open(const struct audit_target *target, struct trail *ret, struct error *err)
{
	struct trail trail = { .target = target, .dir_fd = -EBADF, .fd = -EBADF };
	char directory[PATH_MAX];
	int rc = trail_split(target->path, directory, trail.name, err);

	if (rc >= 0)
		rc = open_kept(&trail, target->kept, directory, err);
	if (target->kept)
		audit_kept_done(target->kept);
	if (rc < 0) {
		close_and_reset(&trail.fd);
		close_and_reset(&trail.dir_fd);
		return rc;
	}
	*ret = trail;
	return 0;
}

void audit_kept_done(struct audit_kept *kept)
{
	close_and_reset(&kept->fd);
	close_and_reset(&kept->dir_fd);
	free(steal_ptr(&kept->path));
}

/* Without the lock, which the next writer needs; device and inode tell later whether the file is still the trail's. */
static bool keep(struct trail *trail, struct audit_kept *kept)
{
	char *path = strdup(trail->target->path);

	if (!path || flock(trail->dir_fd, LOCK_UN) < 0) {
		free(path);
		return false;
	}
	*kept = (struct audit_kept){ .path = path,
				     .dir_fd = trail->dir_fd,
				     .fd = trail->fd,
				     .size = trail->size,
				     .device = trail->device,
				     .inode = trail->inode };
	return true;
}

void trail_done(struct trail *trail)
{
	if (trail->target->kept && keep(trail, trail->target->kept))
		return;
	close_and_reset(&trail->fd);
	close_and_reset(&trail->dir_fd);
}

/* The oldest first: where we are killed in between, a number is free, and nothing is lost. */
static int rename_all(const struct trail *trail)
{
	char from[NAME_MAX + 16], to[NAME_MAX + 16];

	for (unsigned i = trail->target->keep; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", trail->name, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%u", trail->name, i - 1);
		else
			snprintf(from, sizeof(from), "%s", trail->name);
		if (renameat(trail->dir_fd, from, trail->dir_fd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int rotate(struct trail *trail, struct error *err)
{
	int r = rename_all(trail);

	/* A file that grows is better than an event that is lost. */
	if (r < 0) {
		log_warning("the audit trail %s stays longer than %llu bytes: move it away: %s", trail->target->path,
			    (unsigned long long)trail->target->max_bytes, strerror(-r));
		return 0;
	}
	return open_current(trail, err);
}

/* The lock is held: size is where the file ends, and taking half a line away again (ftruncate) takes nobody else's. */
int trail_append(struct trail *trail, const struct buffer *line, struct error *err)
{
	ssize_t n;
	int rc = 0;

	if (trail->size > 0 && trail->size + line->length > trail->target->max_bytes)
		rc = rotate(trail, err);
	if (rc < 0)
		return rc;
	n = write(trail->fd, line->data, line->length);
	if (n == (ssize_t)line->length) {
		trail->size += line->length;
		return 0;
	}
	/* Part of it is none of it: the disk is full. */
	rc = n < 0 ? errno : ENOSPC;
	if (n > 0 && ftruncate(trail->fd, (off_t)trail->size) < 0)
		log_warning("half a line stays in the audit trail %s: %s", trail->target->path, strerror(errno));
	return error_system(err, rc, "write to the audit trail %s", trail->target->path);
}
