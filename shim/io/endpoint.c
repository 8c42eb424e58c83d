#include "shim/io/endpoint.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/file.h"

#define FD_PATH_MAX 32

/* By /proc: the same file as was looked at, whatever its path leads to by now (proc(5)). */
static int open_again(int fd, int flags)
{
	char path[FD_PATH_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* The file itself, looked at before it is opened: opening a device can have effects. */
static int find(const char *path, const char *what, struct stat *ret_status, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERROR_NOT_FOUND, errno, "%s: there is no fifo %.500s", what, path);
	if (fd < 0)
		return error_system(err, errno, "%s: open %.500s", what, path);
	if (fstat(fd, ret_status) < 0)
		return error_system(err, errno, "%s: stat %.500s", what, path);
	if (S_ISLNK(ret_status->st_mode))
		return error_invalid(err, "%s: %.500s is a symbolic link: name the file itself", what, path);
	return steal_fd(&fd);
}

static int open_fifo(const char *path, const char *what, struct endpoint *ret, struct error *err)
{
	AUTO(endpoint_done) struct endpoint fifo = ENDPOINT_NONE;
	struct stat status;
	AUTO_CLOSE int fd = find(path, what, &status, err);

	if (fd < 0)
		return fd;
	if (!S_ISFIFO(status.st_mode))
		return error_invalid(err, "%s: %.500s is not a fifo", what, path);
	/* In this order: a fifo without a reader can't be opened for writing without waiting (fifo(7)). */
	fifo.read_fd = open_again(fd, O_RDONLY | O_NONBLOCK);
	if (fifo.read_fd < 0)
		return error_system(err, -fifo.read_fd, "%s: open %.500s for reading", what, path);
	fifo.write_fd = open_again(fd, O_WRONLY | O_NONBLOCK);
	if (fifo.write_fd < 0)
		return error_system(err, -fifo.write_fd, "%s: open %.500s for writing", what, path);
	*ret = (struct endpoint){ .read_fd = steal_fd(&fifo.read_fd),
				  .write_fd = steal_fd(&fifo.write_fd),
				  .is_fifo = true };
	return 0;
}

/* The directory by descriptor first: containerd may name one that is not there yet. */
static int open_file(const char *path, const char *what, struct endpoint *ret, struct error *err)
{
	const char *name = strrchr(path, '/') + 1;
	AUTO_CLOSE int directory_fd = -EBADF, fd = -EBADF;
	char directory[PATH_MAX];
	struct stat status;

	snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
	directory_fd = file_make_directory(directory, 0711, err);
	if (directory_fd < 0)
		return error_prefix(err, "%s", what);
	/* O_NONBLOCK: a fifo in its place must not hang us before fstat tells. */
	fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0640);
	if (fd < 0 && errno == ELOOP)
		return error_invalid(err, "%s: %.500s is a symbolic link: name the file itself", what, path);
	/* ENXIO: a fifo that nobody reads, a socket. */
	if (fd < 0 && errno != ENXIO && errno != EISDIR)
		return error_system(err, errno, "%s: open %.500s", what, path);
	if (fd >= 0 && fstat(fd, &status) < 0)
		return error_system(err, errno, "%s: stat %.500s", what, path);
	if (fd < 0 || !S_ISREG(status.st_mode))
		return error_invalid(err, "%s: %.500s is not a regular file", what, path);
	*ret = (struct endpoint){ .read_fd = -EBADF, .write_fd = steal_fd(&fd) };
	return 0;
}

int endpoint_open(const struct uri *uri, const char *what, struct endpoint *ret, struct error *err)
{
	switch (uri->scheme) {
	case URI_NONE:
		*ret = ENDPOINT_NONE;
		return 0;
	case URI_FIFO:
		return open_fifo(uri->path, what, ret, err);
	case URI_FILE:
		return open_file(uri->path, what, ret, err);
	case URI_BINARY:
		return error_invalid(err, "%s: a program can only be where both outputs go", what);
	case URI_STREAM:
		break;
	}
	return error_invalid(err, "%s: a connection to a socket is no file", what);
}

void endpoint_done(struct endpoint *endpoint)
{
	close_and_reset(&endpoint->read_fd);
	close_and_reset(&endpoint->write_fd);
}

int endpoint_pipe(struct endpoint *ret, struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_system(err, errno, "make a pipe");
	*ret = (struct endpoint){ .read_fd = fds[0], .write_fd = fds[1] };
	return 0;
}

uint64_t endpoint_unread(int fd)
{
	int n = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

bool endpoint_has_reader(struct endpoint *fifo)
{
	struct pollfd watched = { .fd = fifo->write_fd };
	int n;

	close_and_reset(&fifo->read_fd);
	n = poll(&watched, 1, /* timeout= */ 0);
	fifo->read_fd = open_again(fifo->write_fd, O_RDONLY | O_NONBLOCK);
	return n <= 0 || !(watched.revents & POLLERR);
}

int endpoint_reopen(int fd, int mode)
{
	int flags = fd >= 0 ? fcntl(fd, F_GETFL) & O_APPEND : 0;
	AUTO_CLOSE int opened = fd >= 0 ? open_again(fd, mode | flags | O_NONBLOCK) : open("/dev/null", mode | O_CLOEXEC);
	int high;

	if (opened < 0)
		return fd >= 0 ? opened : -errno;
	if (fcntl(opened, F_SETFL, flags) < 0)
		return -errno;
	if (opened > STDERR_FILENO)
		return steal_fd(&opened);
	/* It must not be in the way of what goes to 0, 1 and 2. */
	high = fcntl(opened, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return high < 0 ? -errno : high;
}
