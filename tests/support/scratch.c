#include "tests/support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define NOBODY 65534

struct scratch scratch_new(void)
{
	struct scratch scratch = { .fd = -EBADF };

	snprintf(scratch.path, sizeof(scratch.path), "%s/brig-unit-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	cr_assert_not_null(mkdtemp(scratch.path), "%s: %s", scratch.path, strerror(errno));
	scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(scratch.fd, 0);
	return scratch;
}

void scratch_drop_root(const struct scratch *scratch)
{
	if (geteuid() != 0)
		return;
	cr_assert_eq(fchown(scratch->fd, NOBODY, NOBODY), 0);
	cr_assert_eq(setegid(NOBODY), 0);
	cr_assert_eq(seteuid(NOBODY), 0);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void scratch_done(struct scratch *scratch)
{
	close(scratch->fd);
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
		cr_assert_fail("can't become root again");
	nftw(scratch->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void scratch_file(const struct scratch *scratch, const char *name, const char *text, mode_t mode)
{
	int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

void scratch_directory(const struct scratch *scratch, const char *name)
{
	cr_assert_eq(mkdirat(scratch->fd, name, 0755), 0, "%s: %s", name, strerror(errno));
}

void scratch_link(const struct scratch *scratch, const char *name, const char *target)
{
	cr_assert_eq(symlinkat(target, scratch->fd, name), 0, "%s: %s", name, strerror(errno));
}

bool scratch_has(const struct scratch *scratch, const char *name)
{
	return faccessat(scratch->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

mode_t scratch_mode(const struct scratch *scratch, const char *name)
{
	struct stat status = { 0 };

	cr_assert_eq(fstatat(scratch->fd, name, &status, AT_SYMLINK_NOFOLLOW), 0, "%s: %s", name, strerror(errno));
	return status.st_mode;
}

const char *scratch_text(const struct scratch *scratch, const char *name, char *text, size_t size)
{
	ssize_t n = readlinkat(scratch->fd, name, text, size - 1);
	int fd;

	if (n < 0) {
		fd = openat(scratch->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
		n = read(fd, text, size - 1);
		close(fd);
	}
	cr_assert_geq(n, 0, "%s: %s", name, strerror(errno));
	text[n] = '\0';
	return text;
}

static size_t count(int fd)
{
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(directory);
	while ((entry = readdir(directory)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(directory);
	return n;
}

size_t scratch_count(const struct scratch *scratch)
{
	return count(openat(scratch->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

size_t scratch_count_fds(void)
{
	return count(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}
