#include "container/metrics/shim_memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define SHIM_NAME "containerd-shim-brig-v2"
#define ROLLUP_MAX 4096
/* What the kernel appends where the file is gone: an upgrade that removed it. */
#define DELETED " (deleted)"
/* A shim executes its file by a detached mount of it (selfexec.c), of which the kernel tells no more than the root. Only root of our own user
 * namespace can have made one, so that its own word on its name will do. */
#define DETACHED "/"

/* False where the link can't be read or does not fit. */
static bool read_link(int proc_fd, const char *pid, const char *name, char text[static PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	n = readlinkat(proc_fd, path, text, PATH_MAX - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool same_namespace(int proc_fd, const char *pid, const char *name)
{
	char ours[PATH_MAX], its[PATH_MAX];

	return read_link(proc_fd, "self", name, ours) && read_link(proc_fd, pid, name, its) && strcmp(ours, its) == 0;
}

static bool is_shim(int proc_fd, const char *pid)
{
	char path[PATH_MAX], cmdline[64];
	size_t length;
	const char *slash;

	if (!isdigit((unsigned char)pid[0]) || !read_link(proc_fd, pid, "exe", path))
		return false;
	length = strlen(path);
	if (length > strlen(DELETED) && strcmp(path + length - strlen(DELETED), DELETED) == 0)
		path[length - strlen(DELETED)] = '\0';
	snprintf(cmdline, sizeof(cmdline), "%.20s/cmdline", pid);
	/* Its name alone: what else is in the line follows a NUL. */
	if (strcmp(path, DETACHED) == 0 && fd_read_file_at(proc_fd, cmdline, path, sizeof(path)) <= 0)
		return false;
	slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, SHIM_NAME) == 0 && same_namespace(proc_fd, pid, "ns/pid") &&
	       same_namespace(proc_fd, pid, "ns/user");
}

static uint64_t kilobytes(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

void shim_memory_add(const char *text, struct shim_memory *memory)
{
	memory->resident += kilobytes(text, "\nRss:");
	memory->proportional += kilobytes(text, "\nPss:");
	memory->private_dirty += kilobytes(text, "\nPrivate_Dirty:");
}

static void add_shim(int proc_fd, const char *pid, struct shim_memory *memory)
{
	char path[64], text[ROLLUP_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/smaps_rollup", pid);
	n = fd_read_file_at(proc_fd, path, text, sizeof(text));
	/* It has ended. */
	if (n == -ENOENT || n == -ESRCH || n == 0)
		return;
	memory->n++;
	if (n < 0)
		memory->n_hidden++;
	else
		shim_memory_add(text, memory);
}

int shim_memory_read(int proc_fd, struct shim_memory *ret, struct error *err)
{
	struct shim_memory memory = { 0 };
	AUTO(closedir)
	DIR *directory = fd_open_directory_stream(openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	if (!directory)
		return error_system(err, errno, "open /proc");
	while ((entry = readdir(directory))) {
		if (is_shim(proc_fd, entry->d_name))
			add_shim(proc_fd, entry->d_name, &memory);
	}
	*ret = memory;
	return 0;
}
