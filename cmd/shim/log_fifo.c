#include "cmd/shim/log_fifo.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define FIFO "log"

static int open_fifo(const char *bundle)
{
	AUTO_CLOSE int bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	struct stat status;

	if (bundle_fd < 0)
		return -errno;
	/* For reading too: then there is always a reader, hence no SIGPIPE and no waiting for one (fifo(7)). */
	fd = openat(bundle_fd, FIFO, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || !S_ISFIFO(status.st_mode))
		return -ENOSTR;
	return steal_fd(&fd);
}

/* By /proc/self/fd, since the log opens a path: the descriptor was checked to be a fifo, and no other file comes in between. */
int log_fifo_open(const char *bundle, enum log_level level, int *ret_fd, struct error *err)
{
	AUTO_CLOSE int fd = open_fifo(bundle);
	struct log_options options = { .format = LOG_FORMAT_TEXT, .level = level };
	char path[64];
	int r;

	if (fd >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		options.path = path;
	}
	r = log_open(&options, err);
	if (r < 0)
		return r;
	if (fd >= 0 && fcntl(log_fd(), F_SETFL, O_NONBLOCK | O_APPEND) < 0)
		return error_system(err, errno, "make the log non-blocking");
	*ret_fd = fd >= 0 ? steal_fd(&fd) : -EBADF;
	return 0;
}
