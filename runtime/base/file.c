#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

int file_create_at(int dir_fd, const char *name, const struct buffer *content, mode_t mode, struct error *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int rc = fd < 0 ? -errno : fd_write_all(fd, content->data, content->length);

	return rc < 0 ? error_system(err, -rc, "write %s", name) : 0;
}

/* Always a new file: one of that name was left by a brig that was killed, or put there by somebody else to be written to. */
static int open_temporary(int dir_fd, const char *name, mode_t mode)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir_fd, name, flags, mode);

	if (fd >= 0 || errno != EEXIST || unlinkat(dir_fd, name, 0) < 0)
		return fd;
	return openat(dir_fd, name, flags, mode);
}

/* Written beside it and renamed: a reader sees the old file or the new one, and a kill -9 leaves at most the temporary, whose
 * name begins with a dot. Without fsync(2): state does not outlive the machine's run anyway. */
int file_replace_at(int dir_fd, const char *name, const struct buffer *content, mode_t mode, struct error *err)
{
	char temporary[NAME_MAX + 1];
	AUTO_CLOSE int fd = -EBADF;
	int rc;

	/* One writer a name at a time (the container's lock), so the pid is enough to tell temporaries apart. */
	snprintf(temporary, sizeof(temporary), ".%.200s.%d", name, getpid());
	fd = open_temporary(dir_fd, temporary, mode);
	if (fd < 0)
		return error_system(err, errno, "create %s", temporary);
	rc = fd_write_all(fd, content->data, content->length);
	if (rc == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		rc = -errno;
	if (rc < 0) {
		unlinkat(dir_fd, temporary, 0);
		return error_system(err, -rc, "write %s", name);
	}
	return 0;
}

/* A file of its own takes the place of a regular one alone: /dev/null, /dev/stdout and a FIFO are there to be written to. */
static int write_in_place(int dir_fd, const char *name, const struct buffer *content, struct error *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 ? -errno : fd_write_all(fd, content->data, content->length);

	return rc < 0 ? error_system(err, -rc, "write %s", name) : 0;
}

static bool is_device_or_fifo(const struct stat *status)
{
	return S_ISCHR(status->st_mode) || S_ISFIFO(status->st_mode);
}

static int replace_or_write(int dir_fd, const char *name, const struct buffer *content, mode_t mode, struct error *err)
{
	struct stat status, target;

	if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
		return file_replace_at(dir_fd, name, content, mode, err);
	if (is_device_or_fifo(&status) ||
	    (S_ISLNK(status.st_mode) && fstatat(dir_fd, name, &target, 0) == 0 && is_device_or_fifo(&target)))
		return write_in_place(dir_fd, name, content, err);
	return error_set(err, ERROR_INVALID, EINVAL,
			 "%s is neither a regular file nor a device or FIFO; give the file itself", name);
}

/* For what the user names: a pid file, an output. Its directory is opened once, so that the name is looked up in one place. */
int file_replace(const char *path, const struct buffer *content, mode_t mode, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char directory[PATH_MAX];
	AUTO_CLOSE int dir_fd = -EBADF;
	int rc;

	if ((size_t)(name - path) >= sizeof(directory))
		return error_system(err, ENAMETOOLONG, "write %s", path);
	snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
	dir_fd = open(slash ? directory : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return error_system(err, errno, "open the directory of %s", path);
	rc = replace_or_write(dir_fd, name, content, mode, err);
	return rc < 0 ? error_prefix(err, "in %s", slash ? directory : ".") : 0;
}

int file_read_at(int dir_fd, const char *name, size_t max, struct buffer *buffer, struct error *err)
{
	/* O_NONBLOCK: a FIFO put in its place must not hang us before fstat tells. */
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERROR_INVALID, ELOOP, "%s is a symbolic link: put the file itself there", name);
	if (fd < 0)
		return error_system(err, errno, "open %s", name);
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat %s", name);
	if (!S_ISREG(status.st_mode))
		return error_invalid(err, "%s is not a regular file", name);
	/* As much as it takes: memory that nothing was in before costs a page fault. procfs knows no sizes. */
	if (status.st_size > 0 && (size_t)status.st_size <= max)
		buffer_reserve(buffer, (size_t)status.st_size + 1);
	return fd_read_all(fd, max, buffer, name, err);
}

/* The last part gets the mode, those on the way 0711: through them everybody may pass, and nobody look. */
int file_make_directory(const char *path, mode_t mode, struct error *err)
{
	char part[PATH_MAX];
	size_t length;
	bool last;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : error_system(err, errno, "open directory %s", path);
	for (length = 1; path[length - 1]; length++) {
		if (path[length] != '/' && path[length] != '\0')
			continue;
		if (length >= sizeof(part))
			return error_system(err, ENAMETOOLONG, "make directory %s", path);
		memcpy(part, path, length);
		part[length] = '\0';
		last = path[length + strspn(path + length, "/")] == '\0';
		if (mkdir(part, last ? mode : 0711) < 0 && errno != EEXIST)
			return error_system(err, errno, "make directory %s", part);
		if (last)
			break;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : error_system(err, errno, "open directory %s", path);
}
