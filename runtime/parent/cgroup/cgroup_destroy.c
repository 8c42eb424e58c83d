/* A group with all below it removed, once the processes that were killed have left it. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "parent/cgroup/cgroup_systemd.h"

#define PAUSE_MAX_NS (20 * 1000 * 1000)
#define SCOPE_GOES_MS 100   /* systemd removes an empty scope by itself */
#define SCOPE_STAYS_MS 1000 /* it can't be told, and does not */

static int remove_child(int parent_fd, const char *name, int fd, void *data)
{
	(void)fd, (void)data;
	if (!name || unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* One that is still in use keeps its parents; the others go. */
	return errno == EBUSY ? 0 : -errno;
}

int cgroup_remove_tree(int root_fd, const char *path)
{
	AUTO_CLOSE int fd = -EBADF;
	int r;

	if (unlinkat(root_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	fd = cgroup_tree_open_at(root_fd, path);
	r = fd < 0 ? fd : cgroup_walk(fd, remove_child, /* data= */ NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return unlinkat(root_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

static int remove_tree(const struct cgroup *cgroup, unsigned tree)
{
	return cgroup_remove_tree(cgroup->trees[tree].root_fd, cgroup->path);
}

/* Killed processes leave by themselves a moment later. v2 tells when the last one has left; v1 has to be asked again. */
static void wait_a_little(const struct cgroup *cgroup, long *pause_ns)
{
	AUTO_CLOSE int fd = openat(cgroup->trees[CGROUP_TREE_V2].fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct timespec pause = { .tv_nsec = *pause_ns };
	struct pollfd changed = { .fd = fd, .events = POLLPRI };
	char text[256];

	if (fd >= 0 && pread(fd, text, sizeof(text), 0) > 0)
		ppoll(&changed, 1, &pause, /* sigmask= */ NULL);
	else
		nanosleep(&pause, NULL);
	*pause_ns = *pause_ns * 2 < PAUSE_MAX_NS ? *pause_ns * 2 : PAUSE_MAX_NS;
}

static int busy(struct cgroup *cgroup, unsigned tree, int r, int timeout_ms, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(/* limit= */ 64 * 1024 * 1024);
	char root[64];
	size_t n = 0;
	pid_t *pids;

	cgroup_tree_root(cgroup, tree, root);
	if (r != -EBUSY)
		return error_system(err, -r, "remove the cgroup %s/%s", root, cgroup->path);
	if (arena)
		(void)cgroup_pids(cgroup, arena, &pids, &n, NULL);
	return error_set(err, ERROR_STATE, EBUSY,
			 "remove the cgroup %s/%s: still in use after %d ms, with %zu processes in it; kill them first",
			 root, cgroup->path, timeout_ms, n);
}

static bool is_populated(const struct cgroup *cgroup)
{
	char text[256];

	return fd_read_file_at(cgroup->trees[CGROUP_TREE_V2].fd, "cgroup.events", text, sizeof(text)) > 0 &&
	       strstr(text, "populated 1");
}

static bool is_there(const struct cgroup *cgroup)
{
	const struct cgroup_tree *tree = &cgroup->trees[CGROUP_TREE_V2];

	return faccessat(tree->root_fd, cgroup->path, F_OK, 0) == 0;
}

/* Until it is as wanted, or the time is over; what it is then. */
static bool wait_while(const struct cgroup *cgroup, bool (*holds)(const struct cgroup *cgroup), int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	long pause_ns = 100 * 1000;

	while (holds(cgroup)) {
		if (clock_ms() >= deadline)
			return true;
		wait_a_little(cgroup, &pause_ns);
	}
	return false;
}

/* systemd has to remove the directory: it would take a scope whose directory somebody else removes for one that still runs. That it is
 * empty it sees by itself as a rule, sooner than it could be told. */
static int destroy_scope(struct cgroup *cgroup, int timeout_ms, struct error *err)
{
	struct error failure;
	int r;

	if (cgroup_tree_fd(cgroup, CGROUP_TREE_V2) < 0)
		return 0;
	if (wait_while(cgroup, is_populated, timeout_ms))
		return busy(cgroup, CGROUP_TREE_V2, -EBUSY, timeout_ms, err);
	if (!wait_while(cgroup, is_there, SCOPE_GOES_MS) || cgroup_systemd_stop(cgroup, &failure) == 0)
		return 0;
	log_warning("%s", failure.message);
	if (!wait_while(cgroup, is_there, SCOPE_STAYS_MS))
		return 0;
	r = remove_tree(cgroup, CGROUP_TREE_V2);
	return r < 0 ? busy(cgroup, CGROUP_TREE_V2, r, timeout_ms, err) : 0;
}

int cgroup_destroy(struct cgroup *cgroup, int timeout_ms, struct error *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	long pause_ns = 100 * 1000;

	cgroup_systemd_let_go(cgroup);
	if (cgroup->unit)
		return destroy_scope(cgroup, timeout_ms, err);
	/* The v2 tree first, where one step tells whether something still runs. */
	for (unsigned tree = CGROUP_N_TREES; tree-- > 0;) {
		int r;

		if (cgroup_tree_fd(cgroup, tree) < 0)
			continue;
		for (r = remove_tree(cgroup, tree); r == -EBUSY && clock_ms() < deadline; r = remove_tree(cgroup, tree))
			wait_a_little(cgroup, &pause_ns);
		if (r < 0)
			return busy(cgroup, tree, r, timeout_ms, err);
		close_and_reset(&cgroup->trees[tree].fd);
		if (tree == CGROUP_TREE_V2 && cgroup->layout == HOST_CGROUP_HYBRID)
			cgroup_tree_prune(cgroup, tree);
	}
	return 0;
}
