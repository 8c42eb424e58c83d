#include "cmd/metrics-http/page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* The directory, not the file: `brig metrics --output` puts a new file in its place each time. */
int page_open_directory(const char *path, const char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	int fd;

	if (!slash || !slash[1] || path[0] != '/' || (size_t)(slash - path) + 2 > sizeof(directory))
		return error_set(err, ERROR_USAGE, EINVAL,
				 "\"%.200s\" is no absolute path of a file; it is what `brig metrics --output` writes",
				 path);
	snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_system(err, errno, "open the directory of %s", path);
	*ret_name = slash + 1;
	return fd;
}

int page_read(int dir_fd, const char *name, struct buffer *out, struct error *err)
{
	return file_read_at(dir_fd, name, PAGE_MAX, out, err);
}
