/* A signal to all processes of a group, by pidfd. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "parent/cgroup/cgroup_internal.h"

#define BATCH 64 /* descriptors open at a time */
#define MEMORY_MAX ((size_t)256 * 1024 * 1024)

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* A pid may end and be given to a stranger between the listing and the signal. A pidfd can't change its process: where the
 * pid is listed again after the pidfd was opened, the pidfd is of a process of the group. */
static int signal_batch(struct cgroup *cgroup, const pid_t *pids, size_t n, int signal, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	int fds[BATCH], r;
	pid_t *still;
	size_t n_still;

	if (!arena)
		return error_memory(err);
	for (size_t i = 0; i < n; i++)
		fds[i] = sys_pidfd_open(pids[i], 0);
	r = cgroup_pids(cgroup, arena, &still, &n_still, err);
	if (r == 0)
		qsort(still, n_still, sizeof(*still), compare);
	for (size_t i = 0; i < n; i++) {
		if (r == 0 && fds[i] >= 0 && pids[i] != getpid() &&
		    bsearch(&pids[i], still, n_still, sizeof(*still), compare) &&
		    sys_pidfd_send_signal(fds[i], signal) < 0 && errno != ESRCH)
			r = error_system(err, errno, "send signal %d to process %d", signal, (int)pids[i]);
		close_and_reset(&fds[i]);
	}
	return r;
}

int cgroup_signal(struct cgroup *cgroup, int signal, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	pid_t *pids = NULL;
	size_t n = 0;
	int r;

	if (!cgroup->membership)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"signal all processes: the container has no cgroup (--cgroup-manager=disabled, or its user may make none)");
	if (!arena)
		return error_memory(err);
	r = cgroup_pids(cgroup, arena, &pids, &n, err);
	for (size_t i = 0; r == 0 && i < n; i += BATCH)
		r = signal_batch(cgroup, pids + i, n - i < BATCH ? n - i : BATCH, signal, err);
	return r;
}
