#include "parent/host_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "parent/host_idmap.h"
#include "parent/host_mounts.h"

struct look {
	struct arena *arena;
	struct host_mounts mounts;
	unsigned kernel;
};

/* path: room for PATH_MAX. False where it is longer than that or not there any more. */
static bool real_path(int fd, char *path)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX);
	if (n <= 0 || n == PATH_MAX || path[0] != '/')
		return false;
	path[n] = '\0';
	return true;
}

static int look_at(const struct look *look, const struct host_source_request *request, struct host_source *ret,
		   struct error *err)
{
	const unsigned mask = STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID;
	AUTO_CLOSE int fd = sys_openat2(AT_FDCWD, request->path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
	char path[PATH_MAX];
	struct statfs file_system;
	struct statx status;

	ret->magic = fd < 0 && errno == ELOOP;
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, mask, &status) < 0 || fstatfs(fd, &file_system) < 0 ||
	    !real_path(fd, path))
		return 0;
	*ret = (struct host_source){
		.known = true,
		.device = makedev(status.stx_dev_major, status.stx_dev_minor),
		.inode = status.stx_ino,
		.mode = status.stx_mode,
		.special = makedev(status.stx_rdev_major, status.stx_rdev_minor),
		.file_system = (uint32_t)file_system.f_type,
		.mappable = host_idmap_supported((uint32_t)file_system.f_type, look->kernel),
		.real = arena_strdup(look->arena, path),
	};
	if (!ret->real)
		return error_memory(err);
	ret->alias = host_mounts_alias(&look->mounts, status.stx_mnt_id, path, look->arena);
	if (request->recursive && S_ISDIR(status.stx_mode))
		ret->below = host_mounts_kernel_below(&look->mounts, path);
	return 0;
}

int host_sources_look(const struct host_source_request *requests, size_t n, struct arena *arena,
		      struct host_source *ret, struct error *err)
{
	struct look look = { .arena = arena, .kernel = host_idmap_kernel() };
	struct error ignored;
	bool is_known;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct host_source){ 0 };
	/* Without it a bind could not be told from what it is a bind of: then nothing is known. */
	is_known = host_mounts_read(arena, &look.mounts, &ignored) >= 0;
	for (size_t i = 0; is_known && rc >= 0 && i < n; i++) {
		if (requests[i].path)
			rc = look_at(&look, &requests[i], &ret[i], err);
	}
	return rc;
}
