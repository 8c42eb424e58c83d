/* A visit to a group and to all groups below it, the deepest first. */
#include "parent/cgroup/cgroup_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"

struct walk {
	int (*visit)(int parent_fd, const char *name, int fd, void *data);
	void *data;
	unsigned n_groups;
};

static int walk_children(struct walk *walk, int fd, unsigned depth);

static int walk_child(struct walk *walk, int parent_fd, const char *name, unsigned depth)
{
	AUTO_CLOSE int fd = cgroup_tree_open_at(parent_fd, name);
	int r;

	if (fd == -ENOENT) /* removed meanwhile */
		return 0;
	if (fd < 0)
		return fd;
	/* The container makes groups itself where its own is delegated: neither depth nor number may exhaust us. */
	if (depth > CGROUP_DEPTH_MAX * 2 || ++walk->n_groups > CGROUP_GROUPS_MAX)
		return -ELOOP;
	r = walk_children(walk, fd, depth);
	return r < 0 ? r : walk->visit(parent_fd, name, fd, walk->data);
}

static int walk_children(struct walk *walk, int fd, unsigned depth)
{
	AUTO(closedir) DIR *directory = fd_open_directory_stream(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return errno == ENODEV || errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(directory)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = walk_child(walk, fd, entry->d_name, depth + 1);
	return r;
}

int cgroup_walk(int fd, int (*visit)(int parent_fd, const char *name, int fd, void *data), void *data)
{
	struct walk walk = { .visit = visit, .data = data };
	int r = walk_children(&walk, fd, /* depth= */ 0);

	return r < 0 ? r : visit(/* parent_fd= */ -EBADF, /* name= */ NULL, fd, data);
}
