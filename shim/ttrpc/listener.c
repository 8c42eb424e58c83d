#include "shim/ttrpc/listener.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/file.h"

#define BACKLOG 64

static int check_directory(const char *path, struct error *err)
{
	char directory[LISTENER_PATH_MAX + 1];
	AUTO_CLOSE int fd = -EBADF;
	struct stat stat;
	char *slash;

	strcpy(directory, path); /* path was measured by the caller */
	slash = strrchr(directory, '/');
	*slash = '\0';
	fd = file_make_directory(slash == directory ? "/" : directory, 0700, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &stat) < 0)
		return error_system(err, errno, "fstat %s", directory);
	if (stat.st_uid != geteuid() || stat.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, ERROR_REFUSED, EPERM,
				 "%s: owner %u, mode %04o: others could put a socket of theirs there; chown and chmod it",
				 directory, stat.st_uid, stat.st_mode & 07777);
	return 0;
}

/* Before anything is made: a name that is cut off would be that of another shim. */
static int check_path(const char *path, struct error *err)
{
	if (path[0] != '/')
		return error_invalid(err, "%s: a socket's path has to be absolute", path);
	if (strlen(path) > LISTENER_PATH_MAX)
		return error_set(err, ERROR_INVALID, ENAMETOOLONG, "%s: %zu bytes, a socket's path has %d at most",
				 path, strlen(path), LISTENER_PATH_MAX);
	return check_directory(path, err);
}

int listener_open(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -EBADF;
	int r = check_path(path, err);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_system(err, errno, "socket");
	/* bind(2) gives the file the mode that the socket has, less the umask: there is no moment with another one. */
	if (fchmod(fd, 0600) < 0)
		return error_system(err, errno, "fchmod of a socket");
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(err, errno, "bind %s", path);
	if (listen(fd, BACKLOG) < 0) {
		int code = errno;

		unlink(path);
		return error_system(err, code, "listen at %s", path);
	}
	return steal_fd(&fd);
}

int listener_accept(int listen_fd)
{
	AUTO_CLOSE int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (fd < 0)
		return -errno;
	/* As it was when the peer connected. The file's mode says so already; a descriptor may have been handed on. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0)
		return -EACCES;
	return steal_fd(&fd);
}
