/* Groups below the container's own, one for its program and one for each exec: docs/adr/0008. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_internal.h"

#define MEMORY_MAX ((size_t)64 * 1024 * 1024)

/* "execs/ID": the folder of all of them as well, which is there from the second one on. */
static int make_directories(int root_fd, const char *entry)
{
	const char *slash = strchr(entry, '/');
	char folder[64];

	if (mkdirat(root_fd, entry, 0755) == 0)
		return 0;
	if (errno != ENOENT || !slash)
		return -errno;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - entry), entry);
	if (mkdirat(root_fd, folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdirat(root_fd, entry, 0755) == 0 ? 0 : -errno;
}

/* What a brig that was killed has left is no better than none: it may be frozen, have limits, or be given away. */
static int make_anew(int root_fd, const char *entry)
{
	int r = make_directories(root_fd, entry);

	if (r != -EEXIST)
		return r;
	r = cgroup_remove_tree(root_fd, entry);
	return r == 0 ? make_directories(root_fd, entry) : r;
}

int cgroup_make_entry(struct cgroup *cgroup, const char *entry, struct error *err)
{
	int root_fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	int r;

	if (root_fd < 0)
		return 0;
	r = make_anew(root_fd, entry);
	if (r == -EBUSY)
		return error_set(err, ERROR_EXISTS, EEXIST,
				 "the cgroup %s/%s exists and has processes in it; end them or choose another id",
				 cgroup->path, entry);
	if (r < 0)
		return error_system(err, -r, "make the cgroup %s/%s", cgroup->path, entry);
	return cgroup_open_entry(cgroup, entry, err);
}

/* From here on entry_fd is what cgroup_clone_fd() gives. */
int cgroup_open_entry(struct cgroup *cgroup, const char *entry, struct error *err)
{
	int root_fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	int fd;

	if (root_fd < 0)
		return 0;
	fd = cgroup_tree_open_at(root_fd, entry);
	if (fd == -ENOENT || fd == -ENODEV)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "the container has no cgroup \"%s\" below its own", entry);
	if (fd < 0)
		return error_system(err, -fd, "open the cgroup %s/%s", cgroup->path, entry);
	close_and_reset(&cgroup->entry_fd);
	cgroup->entry_fd = fd;
	return 0;
}

int cgroup_open_group(struct cgroup *cgroup, const char *entry, struct cgroup **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *group = NULL;
	char path[2 * CGROUP_PATH_MAX];
	int root_fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	int fd = root_fd < 0 ? -ENOENT : cgroup_tree_open_at(root_fd, entry);

	if (fd == -ENOENT || fd == -ENODEV)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "the container has no cgroup \"%s\" below its own", entry);
	if (fd < 0)
		return error_system(err, -fd, "open the cgroup %s/%s", cgroup->path, entry);
	snprintf(path, sizeof(path), "%s/%s", cgroup->path, entry);
	group = cgroup_allocate(cgroup->manager, path);
	if (!group) {
		close(fd);
		return error_memory(err);
	}
	group->layout = cgroup->layout;
	group->membership = cgroup->membership;
	group->limits = cgroup->limits;
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++)
		group->trees[tree].looked = true;
	group->trees[CGROUP_TREE_V2].fd = fd;
	*ret = steal_ptr(&group);
	return 0;
}

/* A process that has ended meanwhile needs no place. */
static int move_round(int from_fd, int to_fd, size_t *ret_n)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	char text[32];
	pid_t *pids;
	int r;

	if (!arena)
		return -ENOMEM;
	r = cgroup_pids_below(from_fd, arena, &pids, ret_n);
	for (size_t i = 0; r == 0 && i < *ret_n; i++) {
		snprintf(text, sizeof(text), "%d", (int)pids[i]);
		r = fd_write_file_at(to_fd, "cgroup.procs", text);
		r = r == -ESRCH ? 0 : r;
	}
	return r;
}

/* What is forked between a look and the move is found in the next round; cgroup.procs moves all threads of a process at once. */
static int move_all(int from_fd, int to_fd)
{
	size_t n = 1;
	int r = 0;

	for (int round = 0; r == 0 && n > 0; round++) {
		if (round == CGROUP_MOVE_ROUNDS)
			return -EAGAIN;
		r = move_round(from_fd, to_fd, &n);
	}
	return r;
}

static int not_released(const struct cgroup *cgroup, const char *entry, int errnum, struct error *err)
{
	if (errnum == EAGAIN)
		return error_set(
			err, ERROR_STATE, EAGAIN,
			"the processes of the cgroup %s/%s multiply faster than they can be moved; pause the container "
			"first",
			cgroup->path, entry);
	if (errnum == EBUSY)
		return error_set(err, ERROR_STATE, EBUSY,
				 "the processes of the cgroup %s/%s stay there: the container has turned on controllers "
				 "below its own group, which can have no processes then",
				 cgroup->path, entry);
	return error_system(err, errnum, "empty and remove the cgroup %s/%s", cgroup->path, entry);
}

int cgroup_release_entry(struct cgroup *cgroup, const char *entry, const char *into, struct error *err)
{
	int root_fd = cgroup->membership ? cgroup_tree_fd(cgroup, CGROUP_TREE_V2) : -ENOENT;
	AUTO_CLOSE int from_fd = -EBADF, to_fd = -EBADF;
	int r;

	if (root_fd < 0)
		return 0;
	/* As a rule nothing is left in it. */
	if (unlinkat(root_fd, entry, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV)
		return 0;
	from_fd = cgroup_tree_open_at(root_fd, entry);
	to_fd = cgroup_tree_open_at(root_fd, into);
	r = from_fd < 0 ? from_fd : to_fd;
	if (r >= 0)
		r = move_all(from_fd, to_fd);
	if (r >= 0)
		r = cgroup_remove_tree(root_fd, entry);
	return r < 0 && r != -ENOENT && r != -ENODEV ? not_released(cgroup, entry, -r, err) : 0;
}
