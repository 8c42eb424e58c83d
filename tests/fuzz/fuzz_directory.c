#include "tests/fuzz/fuzz_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int directory_fd = -EBADF;
static char directory_path[256];

static void remove_directory(void)
{
	DIR *directory = fdopendir(directory_fd);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		unlinkat(directory_fd, entry->d_name, 0);
	if (directory)
		closedir(directory);
	rmdir(directory_path);
}

static void make_directory(void)
{
	snprintf(directory_path, sizeof(directory_path), "%s/brig-fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (!mkdtemp(directory_path))
		abort();
	directory_fd = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0 || atexit(remove_directory) != 0)
		abort();
}

int fuzz_directory_with(const char *name, const uint8_t *data, size_t size)
{
	int fd;

	if (directory_fd < 0)
		make_directory();
	fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	return directory_fd;
}
