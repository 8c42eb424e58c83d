#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/syscalls.h"

#define ROOT_RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* Drops the last component of the text built so far. */
static char *up(char *begin, char *end)
{
	while (end > begin && *--end != '/')
		;
	return end;
}

char *path_normalise(struct arena *arena, const char *path)
{
	char *result = arena_alloc(arena, strlen(path) + 2), *end = result;
	const char *next;
	size_t length;

	if (!result)
		return NULL;
	for (; *path; path = next) {
		path += strspn(path, "/");
		length = strcspn(path, "/");
		next = path + length;
		if (length == 0 || (length == 1 && path[0] == '.'))
			continue;
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			end = up(result, end);
			continue;
		}
		*end++ = '/';
		memcpy(end, path, length);
		end += length;
	}
	if (end == result)
		*end++ = '/';
	*end = '\0';
	return result;
}

bool path_is_below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (length == 1)
		return true;
	return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

int path_open_in_root(int root_fd, const char *path, int flags)
{
	int fd, tries;

	/* openat2 gives EAGAIN when a rename elsewhere raced with ".."; a few tries are what the man page asks for. */
	for (tries = 0; tries < 16; tries++) {
		fd = sys_openat2(root_fd, path, (uint64_t)(unsigned)flags | O_CLOEXEC, 0, ROOT_RESOLVE);
		if (fd >= 0)
			return fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/* Makes the one missing component name in parent_fd and opens it. */
static int make_component(int parent_fd, const char *name, bool is_file, mode_t mode)
{
	AUTO_CLOSE int made_fd = -EBADF;
	int fd;

	if (is_file) {
		made_fd = openat(parent_fd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
		if (made_fd < 0 && errno != EEXIST)
			return -errno;
	} else if (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST) {
		return -errno;
	}
	/* Whoever else made it meanwhile may have made a link: that is refused, not followed. */
	fd = sys_openat2(parent_fd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	return fd >= 0 ? fd : -errno;
}

/* Opens as much of path as there is. *ret_rest points to the components that are missing. */
static int open_existing(int root_fd, const char *path, const char **ret_rest)
{
	char head[PATH_MAX];
	size_t length = strlen(path);
	int fd;

	if (length >= sizeof(head))
		return -ENAMETOOLONG;
	memcpy(head, path, length + 1);
	for (;;) {
		fd = path_open_in_root(root_fd, length ? head : "/", O_PATH);
		if (fd >= 0 || fd != -ENOENT || length == 0)
			break;
		while (length > 0 && head[--length] != '/')
			;
		head[length] = '\0';
	}
	*ret_rest = path + length;
	return fd;
}

int path_make_in_root(int root_fd, const char *path, bool is_file, mode_t directory_mode)
{
	char name[NAME_MAX + 1];
	const char *rest;
	size_t length;
	int fd, next_fd;
	bool last;

	fd = open_existing(root_fd, path, &rest);
	for (rest += strspn(rest, "/"); fd >= 0 && *rest; rest += strspn(rest, "/")) {
		length = strcspn(rest, "/");
		if (length >= sizeof(name) || (length == 2 && memcmp(rest, "..", 2) == 0)) {
			close(fd);
			return length >= sizeof(name) ? -ENAMETOOLONG : -EINVAL;
		}
		memcpy(name, rest, length);
		name[length] = '\0';
		rest += length;
		last = rest[strspn(rest, "/")] == '\0';
		next_fd = make_component(fd, name, is_file && last, directory_mode);
		close(fd);
		fd = next_fd;
	}
	return fd;
}
