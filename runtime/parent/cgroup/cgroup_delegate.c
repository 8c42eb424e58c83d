/* A group for a container's root to use as his own (OCI config-linux.md "Cgroup ownership"), within bounds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_internal.h"

#define DEPTH "cgroup.max.depth"
#define DESCENDANTS "cgroup.max.descendants"

/* Files that a kernel lists and this group has not (ENOENT) belong to controllers that are not turned on. */
static int give_file(int fd, const char *file, uid_t uid, struct error *err)
{
	if (fchownat(fd, file, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
		return 0;
	return error_system(err, errno, "give the cgroup's %s to uid %u", file, uid);
}

/* Whoever makes groups of his own must not make more of them, nor deeper ones, than are walked through to list or remove them
 * (cgroup_walk.c): nobody could delete the container. The kernel's word for no bound is "max"; a lower one is config.json's. */
static int bound_groups(int fd, const char *file, unsigned most, struct error *err)
{
	char text[32];
	int r;

	if (fd_read_file_at(fd, file, text, sizeof(text)) <= 0 ||
	    (strcmp(text, "max") != 0 && strtoull(text, /* endptr= */ NULL, 10) <= most))
		return 0;
	snprintf(text, sizeof(text), "%u", most);
	r = fd_write_file_at(fd, file, text);
	return r < 0 ? error_system(err, -r, "write %s to the cgroup's %s", text, file) : 0;
}

static int bound(int fd, struct error *err)
{
	int r = bound_groups(fd, DEPTH, CGROUP_DEPTH_MAX, err);

	return r < 0 ? r : bound_groups(fd, DESCENDANTS, CGROUP_GROUPS_MAX / 2, err);
}

int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, struct error *err)
{
	int fd = cgroup_clone_fd(cgroup), r = 0;
	/* Since Linux 4.15 the kernel itself says which files are safe to give away. */
	char list[4096] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
	char kernels[4096], *rest = list;

	if (fd < 0)
		return 0;
	if (fd_read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", kernels, sizeof(kernels)) > 0)
		rest = kernels;
	if (fchown(fd, uid, (gid_t)-1) < 0)
		return error_system(err, errno, "give the cgroup %s to uid %u", cgroup->path, uid);
	for (char *file = strsep(&rest, "\n"); r == 0 && file; file = strsep(&rest, "\n"))
		if (*file && !strchr(file, '/'))
			r = give_file(fd, file, uid, err);
	return r < 0 ? r : bound(fd, err);
}

/* A group that is somebody else's was given to him: with an entry that is the one below, whose bounds no update changes. */
int cgroup_delegate_bound_again(const struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	int fd = cgroup_clone_fd(cgroup);
	struct stat status;
	bool raises = false;

	for (size_t i = 0; i < resources->n_unified; i++)
		raises |= strcmp(resources->unified[i].name, DEPTH) == 0 ||
			  strcmp(resources->unified[i].name, DESCENDANTS) == 0;
	if (!raises || fd < 0 || fstat(fd, &status) < 0 || status.st_uid == geteuid())
		return 0;
	return bound(fd, err);
}
