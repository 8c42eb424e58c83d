#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"

#define ROOT_RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define LINKS_MAX 16 /* dangling ones in one path */

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

void path_of_sysctl(char *name)
{
	char first = name[strcspn(name, "./")];

	for (; first == '.' && *name; name++) {
		if (*name == '.')
			*name = '/';
		else if (*name == '/')
			*name = '.';
	}
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

/* Makes the one missing component name in parent_fd and opens it; -ELOOP where it is a symbolic link. */
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
	/* Whoever else made it meanwhile may have made a link: the kernel must not follow that. Without O_NOFOLLOW, with
	 * which O_PATH would open the link itself (openat2(2)). */
	fd = sys_openat2(parent_fd, name, O_PATH | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
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
		if (fd != -ENOENT || length == 0)
			break;
		while (length > 0 && head[--length] != '/')
			;
		head[length] = '\0';
	}
	*ret_rest = path + length;
	return fd;
}

/* A path on its way to be made: each dangling link that is met is replaced by its target. */
struct making {
	char path[PATH_MAX];
	bool is_file;
	mode_t directory_mode;
};

static bool climbs(const char *path)
{
	size_t length;

	for (path += strspn(path, "/"); *path; path += length, path += strspn(path, "/")) {
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.')
			return true;
	}
	return false;
}

/* Puts the target of the link name, which lies in parent_fd and begins at offset of the path, in its place. As text: what the
 * new path means is for the kernel to say, beneath the root once more. */
static int replace_link(struct making *making, int parent_fd, const char *name, size_t offset)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(parent_fd, name, target, sizeof(target) - 1);
	int length;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	strcpy(rest, making->path + offset + strlen(name));
	if (target[0] == '/')
		offset = 0;
	length = snprintf(making->path + offset, sizeof(making->path) - offset, "%s%s", target, rest);
	return (size_t)length < sizeof(making->path) - offset ? 0 : -ENAMETOOLONG;
}

/* Makes what is missing and opens the end. *ret_again: a link was replaced instead. */
static int make_once(struct making *making, int root_fd, bool *ret_again)
{
	const char *rest = NULL, *next;
	AUTO_CLOSE int fd = open_existing(root_fd, making->path, &rest);
	char name[NAME_MAX + 1];
	size_t length;
	int made_fd;

	if (fd < 0 || climbs(rest))
		return fd < 0 ? fd : -EINVAL;
	for (rest += strspn(rest, "/"); *rest; rest = next) {
		length = strcspn(rest, "/");
		if (length >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, rest, length);
		name[length] = '\0';
		next = rest + length + strspn(rest + length, "/");
		made_fd = make_component(fd, name, making->is_file && !*next, making->directory_mode);
		if (made_fd == -ELOOP) {
			*ret_again = true;
			return replace_link(making, fd, name, (size_t)(rest - making->path));
		}
		close_and_reset(&fd);
		fd = made_fd;
		if (fd < 0)
			break;
	}
	return steal_fd(&fd);
}

int path_make_in_root(int root_fd, const char *path, bool is_file, mode_t directory_mode)
{
	struct making making = { .is_file = is_file, .directory_mode = directory_mode };
	bool again;
	int rc;

	if (strlen(path) >= sizeof(making.path))
		return -ENAMETOOLONG;
	strcpy(making.path, path);
	for (unsigned links = 0; links <= LINKS_MAX; links++) {
		again = false;
		rc = make_once(&making, root_fd, &again);
		if (rc < 0 || !again)
			return rc;
	}
	return -ELOOP;
}
