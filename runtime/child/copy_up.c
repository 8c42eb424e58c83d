#include "child/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define DEPTH_MAX 64

static int copy_tree(int from_fd, int to_fd, dev_t device, int depth);

static int copy_file(int from_fd, int to_fd, const char *name, const struct stat *status)
{
	AUTO_CLOSE int in_fd = openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	AUTO_CLOSE int out_fd = -EBADF;
	struct stat opened;
	ssize_t n;

	if (in_fd < 0 || fstat(in_fd, &opened) < 0)
		return -errno;
	/* Another container with the same root file system may have put something else in its place. */
	if (!S_ISREG(opened.st_mode))
		return -EINVAL;
	out_fd = openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out_fd < 0)
		return -errno;
	do
		n = sendfile(out_fd, in_fd, NULL, 1 << 20);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 || fchown(out_fd, status->st_uid, status->st_gid) < 0 || fchmod(out_fd, status->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from_fd, int to_fd, const char *name, const struct stat *status)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_fd, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_fd, name) < 0 ||
	    fchownat(to_fd, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* Owner and mode last: the source's may be one in which we could make nothing. */
static int copy_directory(int from_fd, int to_fd, const char *name, const struct stat *status, int depth)
{
	AUTO_CLOSE int below_fd = openat(from_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int made_fd = -EBADF;
	int rc;

	if (below_fd < 0 || mkdirat(to_fd, name, 0700) < 0)
		return -errno;
	made_fd = openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made_fd < 0)
		return -errno;
	rc = copy_tree(below_fd, made_fd, status->st_dev, depth + 1);
	if (rc >= 0 &&
	    (fchown(made_fd, status->st_uid, status->st_gid) < 0 || fchmod(made_fd, status->st_mode & 07777) < 0))
		rc = -errno;
	return rc;
}

static int copy_entry(int from_fd, int to_fd, const char *name, dev_t device, int depth)
{
	struct stat status;

	if (fstatat(from_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(status.st_mode))
		return copy_file(from_fd, to_fd, name, &status);
	if (S_ISLNK(status.st_mode))
		return copy_link(from_fd, to_fd, name, &status);
	if (S_ISDIR(status.st_mode) && status.st_dev == device)
		return copy_directory(from_fd, to_fd, name, &status, depth);
	return 0;
}

static int copy_tree(int from_fd, int to_fd, dev_t device, int depth)
{
	int list_fd = depth < DEPTH_MAX ? openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	AUTO(closedir) DIR *directory = fd_open_directory_stream(list_fd);
	struct dirent *entry;
	int rc = 0;

	if (!directory)
		return depth < DEPTH_MAX ? -errno : -ELOOP;
	while (rc >= 0 && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = copy_entry(from_fd, to_fd, entry->d_name, device, depth);
	}
	return rc;
}

static int copy_own(int top_fd, const struct stat *status, unsigned own)
{
	uid_t uid = own & COPY_UP_UID ? status->st_uid : (uid_t)-1;
	gid_t gid = own & COPY_UP_GID ? status->st_gid : (gid_t)-1;

	if (fchown(top_fd, uid, gid) < 0)
		return -errno;
	return own & COPY_UP_MODE && fchmod(top_fd, status->st_mode & 07777) < 0 ? -errno : 0;
}

int copy_up(int from_fd, int to_fd, unsigned own, struct error *err)
{
	/* A new mount comes as O_PATH, which fchown and fchmod refuse. */
	AUTO_CLOSE int top_fd = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	int rc;

	if (top_fd < 0 || fstat(from_fd, &status) < 0)
		return error_system(err, errno, "tmpcopyup: open");
	rc = copy_tree(from_fd, top_fd, status.st_dev, 0);
	if (rc >= 0)
		rc = copy_own(top_fd, &status, own);
	return rc < 0 ? error_system(err, -rc, "tmpcopyup: copy the image's directory") : 0;
}
