#include "sandbox/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define CHUNK ((size_t)1024 * 1024)

bool sandbox_is_name(const char *name)
{
	size_t length;

	if (strlen(name) >= PATH_MAX)
		return false;
	for (;; name += length + 1) {
		length = strcspn(name, "/");
		if (length == 0 || length > NAME_MAX || (length == 1 && name[0] == '.') ||
		    (length == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (!name[length])
			return true;
	}
}

/* O_NONBLOCK: a FIFO without a writer is not waited for (fifo(7)), nor whoever is at the other end of a device. */
static int open_named(const char *option, const char *path, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	int number = errno;

	if (fd >= 0)
		return steal_fd(&fd);
	/* open(2) says the same of a device without a driver. */
	if (number == ENXIO && stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		return error_set(err, ERROR_INVALID, ENXIO, "option %s: %s is a socket, which can't be read as a file",
				 option, path);
	return error_named(err, number, "option %s: open %s", option, path);
}

/* Opened before the sandbox is made, so that a missing file costs nothing. */
static int open_source(const struct sandbox_copy *file, struct error *err)
{
	AUTO_CLOSE int fd = open_named("--file", file->path, err);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "option --file: look at %s", file->path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_INVALID, EINVAL, "option --file: %s is not a regular file", file->path);
	return steal_fd(&fd);
}

int sandbox_files_open_stdin(const char *path, struct error *err)
{
	bool is_own = strcmp(path, "-") == 0;
	AUTO_CLOSE int fd = is_own ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open_named("--stdin", path, err);
	struct stat status;

	if (fd < 0 && is_own)
		return error_system(err, errno, "option --stdin: duplicate brig's own");
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		return error_set(err, ERROR_INVALID, EISDIR, "option --stdin: %s is a directory", path);
	return steal_fd(&fd);
}

int sandbox_files_open(const struct sandbox_copy *files, size_t n, struct arena *arena, int **ret_fds, struct error *err)
{
	int *fds = arena_array_of(arena, n, int);

	if (!fds)
		return error_memory(err);
	for (size_t i = 0; i < n; i++)
		fds[i] = -EBADF;
	*ret_fds = fds;
	for (size_t i = 0; i < n; i++) {
		fds[i] = open_source(&files[i], err);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

int sandbox_files_check_binds(const struct sandbox_request *request, struct error *err)
{
	for (size_t i = 0; i < request->n_binds; i++) {
		const struct sandbox_bind *bind = &request->binds[i];

		if (faccessat(AT_FDCWD, bind->source, F_OK, AT_EACCESS) < 0)
			return error_named(err, errno, "option --bind-%s: open %s", bind->writable ? "rw" : "ro",
					   bind->source);
	}
	return 0;
}

/* There is nothing in the work directory but what the request had us put there. */
static int cant_make(const char *name, int errnum, struct error *err)
{
	if (errnum == EEXIST)
		return error_set(err, ERROR_INVALID, EEXIST,
				 "option --file: %s is there already: give each NAME once, and no NAME that is the directory "
				 "of another",
				 name);
	if (errnum == ENOSPC)
		return error_set(
			err, ERROR_INVALID, ENOSPC,
			"option --file: there is no room for %s in the work directory, which has a fourth of --memory",
			name);
	return error_named(err, errnum, "option --file: make %s", name);
}

static int give(int fd, uid_t uid, const char *name, struct error *err)
{
	if (uid != (uid_t)-1 && fchown(fd, uid, uid) < 0)
		return error_system(err, errno, "option --file: give %s to the program", name);
	return 0;
}

/* Nobody else is there yet: the program has not begun. Directories on the way to name. */
static int open_parent(int work_fd, const char *name, uid_t uid, const char **ret_base, struct error *err)
{
	AUTO_CLOSE int fd = fcntl(work_fd, F_DUPFD_CLOEXEC, 3);
	char part[NAME_MAX + 1];

	while (fd >= 0) {
		size_t length = strcspn(name, "/");
		bool is_ours;
		int next_fd, rc;

		if (!name[length]) {
			*ret_base = name;
			return steal_fd(&fd);
		}
		memcpy(part, name, length);
		part[length] = '\0';
		is_ours = mkdirat(fd, part, 0755) == 0;
		if (!is_ours && errno != EEXIST)
			break;
		next_fd = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next_fd < 0)
			break;
		close(fd);
		fd = next_fd;
		rc = is_ours ? give(fd, uid, part, err) : 0;
		if (rc < 0)
			return rc;
		name += length + 1;
	}
	return cant_make(name, errno, err);
}

/* Files of the kernel's are read (proc(5)): sendfile(2) knows no such, and says EINVAL. */
static ssize_t copy_piece(int from_fd, int to_fd)
{
	char piece[16 * 1024];
	ssize_t n = sendfile(to_fd, from_fd, NULL, CHUNK);
	int rc;

	if (n >= 0 || errno != EINVAL)
		return n;
	n = read(from_fd, piece, sizeof(piece));
	rc = n > 0 ? fd_write_all(to_fd, piece, (size_t)n) : 0;
	if (rc < 0)
		errno = -rc;
	return rc < 0 ? -1 : n;
}

/* In pieces, so that a signal and the time that is left are looked at between them. */
static int copy(const struct sandbox_copy *file, int from_fd, int to_fd, const struct pace *pace, struct error *err)
{
	ssize_t n;

	do {
		int rc = pace_check(pace, err);

		if (rc < 0)
			return rc;
		n = copy_piece(from_fd, to_fd);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 && errno == ENOSPC)
		return error_set(err, ERROR_INVALID, ENOSPC,
				 "option --file: %s does not fit into the work directory, which has a fourth of --memory",
				 file->path);
	return n < 0 ? error_system(err, errno, "option --file: copy %s", file->path) : 0;
}

static int put(const struct sandbox_filling *filling, const struct sandbox_copy *file, int from_fd, struct error *err)
{
	const char *base = "";
	AUTO_CLOSE int parent_fd = open_parent(filling->work_fd, file->name, filling->uid, &base, err), fd = -EBADF;
	struct stat status;
	int rc;

	if (parent_fd < 0)
		return parent_fd;
	if (fstat(from_fd, &status) < 0)
		return error_system(err, errno, "option --file: look at %s", file->path);
	fd = openat(parent_fd, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return cant_make(file->name, errno, err);
	rc = copy(file, from_fd, fd, filling->pace, err);
	if (rc >= 0 && fchmod(fd, status.st_mode & S_IXUSR ? 0755 : 0644) < 0)
		rc = error_system(err, errno, "option --file: copy %s", file->path);
	return rc < 0 ? rc : give(fd, filling->uid, file->name, err);
}

int sandbox_files_put(const struct sandbox_filling *filling, const struct sandbox_request *request, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < request->n_files; i++)
		rc = put(filling, &request->files[i], filling->fds[i], err);
	return rc;
}
