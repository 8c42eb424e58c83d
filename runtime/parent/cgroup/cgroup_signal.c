/* A signal to all processes of a group, by pidfd. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "parent/cgroup/cgroup_internal.h"

/* Descriptors open at a time, where there are as many: for each batch the whole group is listed once more. */
#define BATCH ((size_t)4096)
/* For that listing, at its deepest (cgroup_walk.c): of each level the group and the stream of what is below it, and a cgroup.procs. */
#define SPARE ((size_t)2 * 2 * CGROUP_DEPTH_MAX + 8)
#define MEMORY_MAX ((size_t)256 * 1024 * 1024)

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

struct batch {
	const pid_t *pids;
	int *fds; /* BATCH of them, or as many as there are pids */
	size_t n;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The limit says how many we may have, and not how many are free, which is seen by taking them. Where that is little, the batch has an
 * eighth of it. Returns how many are in ret. */
static size_t keep_spare(int fd, size_t n_batch, int ret[2 * SPARE])
{
	size_t wanted = SPARE + least(n_batch, SPARE), n = 0, few, kept;

	while (n < wanted && (ret[n] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	few = least(n / 8 + 1, n_batch);
	kept = n > few ? least(SPARE, n - few) : 0;
	for (; n > kept; n--)
		close_and_reset(&ret[n - 1]);
	return n;
}

/* The first of n pids, as many as it could open, those that have ended among them. fd: any one of ours. */
static void open_batch(struct batch *batch, size_t n, int fd)
{
	int spare[2 * SPARE];
	size_t n_spare = keep_spare(fd, n, spare), opened = 0;

	for (; opened < n && opened < BATCH; opened++) {
		batch->fds[opened] = sys_pidfd_open(batch->pids[opened], 0);
		if (batch->fds[opened] < 0 && errno != ESRCH)
			break;
	}
	batch->n = opened;
	while (n_spare > 0)
		close_and_reset(&spare[--n_spare]);
}

/* A pid may end and be given to a stranger between the listing and the signal. A pidfd can't change its process: where the
 * pid is listed again after the pidfd was opened, the pidfd is of a process of the group. */
static int signal_batch(struct cgroup *cgroup, const struct batch *batch, int signal, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	pid_t *still = NULL;
	size_t n_still = 0;
	int r = arena ? cgroup_pids(cgroup, arena, &still, &n_still, err) : error_memory(err);

	if (r == 0 && n_still > 0)
		qsort(still, n_still, sizeof(*still), compare);
	for (size_t i = 0; i < batch->n; i++) {
		if (r == 0 && n_still > 0 && batch->fds[i] >= 0 && batch->pids[i] != getpid() &&
		    bsearch(&batch->pids[i], still, n_still, sizeof(*still), compare) &&
		    sys_pidfd_send_signal(batch->fds[i], signal) < 0 && errno != ESRCH)
			r = error_system(err, errno, "send signal %d to process %d", signal, (int)batch->pids[i]);
		close_and_reset(&batch->fds[i]);
	}
	return r;
}

static int signal_all(struct cgroup *cgroup, struct arena *arena, int signal, struct error *err)
{
	pid_t *pids = NULL;
	size_t n = 0;
	int r = cgroup_pids(cgroup, arena, &pids, &n, err);
	struct batch batch = { .fds = r == 0 ? arena_array_of(arena, n < BATCH ? n : BATCH, int) : NULL };

	if (r == 0 && !batch.fds)
		return error_memory(err);
	for (size_t done = 0; r == 0 && done < n; done += batch.n) {
		batch.pids = pids + done;
		open_batch(&batch, n - done, cgroup_tree_membership_fd(cgroup));
		if (batch.n == 0)
			return error_system(err, errno, "open process %d", (int)pids[done]);
		r = signal_batch(cgroup, &batch, signal, err);
	}
	return r;
}

int cgroup_signal(struct cgroup *cgroup, int signal, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);

	if (!cgroup->membership)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"signal all processes: the container has no cgroup (--cgroup-manager=disabled, or its user may make none)");
	if (!arena)
		return error_memory(err);
	return signal_all(cgroup, arena, signal, err);
}
