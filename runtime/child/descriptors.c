/* Which descriptors the program gets: those that the caller asked to pass. Ours are closed once they are of no use, at the latest by
 * execve(2). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "child/steps.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static size_t add(int *list, size_t n, const int *fds, size_t n_fds)
{
	for (size_t i = 0; fds && i < n_fds; i++) {
		if (fds[i] >= 0)
			list[n++] = fds[i];
	}
	return n;
}

/* All above 2, so that none is overwritten before its turn. */
static int take_streams(const struct child_attendant *attendant)
{
	for (int fd = 0; attendant && fd < 3; fd++) {
		if (dup2(attendant->stdio[fd], fd) < 0)
			return -errno;
	}
	return 0;
}

/* The first act after the clone: what the caller of brig had open must not wait in a created container (a pipe whose end
 * never comes), nor be reachable by a step that goes wrong. */
int descriptors_close(struct child *child, struct error *err)
{
	size_t n_mounts = child->plan->rootfs.n_mounts, n_joins = child->plan->namespaces.n_join, n = 0;
	const int single[] = { child->channel_fd,
			       child->start_fd,
			       child->console_fd,
			       child->root_fd,
			       child->container_fd,
			       child->log_fd,
			       child->proc_fd,
			       child->label_fd,
			       child->cgroup_fd,
			       child->userns_fd,
			       child->attendant ? child->attendant->init_fd : -EBADF };
	AUTO_FREE int *keep =
		calloc(n_mounts + n_joins + child->n_views + child->n_cgroups + ARRAY_SIZE(single), sizeof(int));
	unsigned next = 3 + child->plan->process.preserve_fds;

	if (!keep)
		return error_memory(err);
	if (take_streams(child->attendant) < 0)
		return error_system(err, errno, "take the program's standard streams");
	n = add(keep, n, single, ARRAY_SIZE(single));
	n = add(keep, n, child->mount_fds, n_mounts);
	n = add(keep, n, child->join_fds, n_joins);
	for (size_t i = 0; i < child->n_views; i++)
		n = add(keep, n, &child->views[i].fd, 1);
	for (size_t i = 0; i < child->n_cgroups; i++)
		n = add(keep, n, &child->cgroups[i].tasks_fd, 1);
	qsort(keep, n, sizeof(int), compare);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)keep[i] < next)
			continue;
		if ((unsigned)keep[i] > next && sys_close_range(next, (unsigned)keep[i] - 1, 0) < 0)
			return error_system(err, errno, "close_range");
		next = (unsigned)keep[i] + 1;
	}
	if (sys_close_range(next, ~0U, 0) < 0)
		return error_system(err, errno, "close_range");
	return 0;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; fds && i < n; i++)
		close_and_reset(&fds[i]);
}

/* A created container may wait for days: nothing of the host's, and no file system, is held open for so long. */
int descriptors_release(struct child *child, struct error *err)
{
	(void)err;
	close_and_reset(&child->root_fd);
	close_and_reset(&child->proc_fd);
	child->pts_fd = -EBADF;
	close_all(child->mount_fds, child->plan->rootfs.n_mounts);
	close_all(child->join_fds, child->plan->namespaces.n_join);
	for (size_t i = 0; i < child->n_views; i++)
		close(child->views[i].fd);
	child->n_views = 0;
	return 0;
}

/* Ours are all close-on-exec; this holds even if one were not, and for numbers that the caller promised but left closed. Before any filter:
 * config.json's may not know the call. */
int descriptors_hide(struct child *child, struct error *err)
{
	if (sys_close_range(3 + child->plan->process.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_system(err, errno, "close_range");
	return 0;
}
