#include "cmd/shim/pod_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "shim/bootstrap/address.h"
#include "shim/ttrpc/listener.h"

enum listens { LISTENS_NOBODY, LISTENS_SHIM, LISTENS_NOTHING_THERE };

/* A killed shim's workers end with it, but each had a copy of the socket for its first moments. */
#define LAST_COPY_MS 100

/* Without waiting for a place: a shim that is stopped has a full queue of callers, and is alive. patience: so many milliseconds for
 * the connection to end by itself, as it does with the last copy of a dead shim's socket. */
static int who_listens(const char *path, int patience, enum listens *ret, struct error *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return error_system(err, errno, "socket");
	strcpy(address.sun_path, path); /* measured by the callers */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN) {
		struct pollfd hang_up = { .fd = fd };

		poll(&hang_up, 1, patience);
		*ret = LISTENS_SHIM;
	} else if (errno == ECONNREFUSED) {
		*ret = LISTENS_NOBODY;
	} else if (errno == ENOENT) {
		*ret = LISTENS_NOTHING_THERE;
	} else {
		return error_system(err, errno, "connect to %s", path);
	}
	return 0;
}

bool pod_socket_is_served(const char *path)
{
	enum listens listens;

	return strlen(path) <= ADDRESS_PATH_MAX &&
	       who_listens(path, /* patience= */ 0, &listens, /* err= */ NULL) == 0 && listens == LISTENS_SHIM;
}

/* One lock for all pods, held for milliseconds: a file per pod would have to be removed, and that is what two could race for. */
static int lock_directory(const char *path, struct error *err)
{
	char directory[ADDRESS_PATH_MAX + 1];
	AUTO_CLOSE int fd = -EBADF;
	size_t length = strlen(path);

	if (path[0] != '/' || length > ADDRESS_PATH_MAX)
		return error_invalid(err, "\"%.200s\" is no path of a socket: absolute, with at most %u bytes", path,
				     ADDRESS_PATH_MAX);
	memcpy(directory, path, length + 1);
	strrchr(directory, '/')[1] = '\0';
	fd = file_make_directory(directory, 0700, err);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX) < 0)
		return error_system(err, errno, "lock %s", directory);
	return steal_fd(&fd);
}

/* A shim in the way is told from the socket of one that died. Returns as listener_open: -EADDRINUSE is a living one. */
static int replace(const char *path, struct error *err)
{
	enum listens listens;
	int r = who_listens(path, /* patience= */ 0, &listens, err);

	if (r < 0)
		return r;
	if (listens == LISTENS_SHIM)
		return -EADDRINUSE;
	if (listens == LISTENS_NOBODY && unlink(path) < 0 && errno != ENOENT)
		return error_system(err, errno, "remove the socket of a dead shim, %s", path);
	return listener_open(path, err);
}

int pod_socket_claim(const char *path, int *ret_fd, struct error *err)
{
	AUTO_CLOSE int lock_fd = lock_directory(path, err);
	int fd;

	if (lock_fd < 0)
		return lock_fd;
	fd = listener_open(path, err);
	if (fd == -EADDRINUSE)
		fd = replace(path, err);
	if (fd < 0 && fd != -EADDRINUSE)
		return fd;
	*ret_fd = fd < 0 ? -EBADF : fd;
	return 0;
}

/* With patience: a worker of the dead shim, about to end with it, may hold the socket for a moment longer. */
int pod_socket_remove_stale(const char *path, struct error *err)
{
	AUTO_CLOSE int lock_fd = lock_directory(path, err);
	enum listens listens;
	struct stat status;
	int r;

	if (lock_fd < 0)
		return lock_fd;
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : error_system(err, errno, "stat %s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_invalid(err, "%s is no socket; it is left alone", path);
	r = who_listens(path, LAST_COPY_MS, &listens, err);
	if (r == 0 && listens == LISTENS_SHIM)
		r = who_listens(path, /* patience= */ 0, &listens, err);
	if (r < 0 || listens != LISTENS_NOBODY)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? error_system(err, errno, "remove %s", path) : 0;
}
