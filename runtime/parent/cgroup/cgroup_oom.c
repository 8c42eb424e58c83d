/* Out of memory: by the driver of the host's version; of scopes that systemd has removed, by what was counted and logged before. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_oom_log.h"

#define SETTLE_ROUNDS 50 /* of a millisecond */

int cgroup_oom_fd(struct cgroup *cgroup, struct error *err)
{
	if (!cgroup_exists(cgroup))
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the container has no cgroup that tells of out-of-memory kills");
	if (cgroup->unit && cgroup->oom_log_fd < 0)
		cgroup->oom_log_fd = cgroup_oom_log_open();
	return cgroup->limits->oom_fd(cgroup, err);
}

void cgroup_oom_clear(int fd)
{
	char events[4096];
	ssize_t n;

	do
		n = read(fd, events, sizeof(events));
	while (n > 0 || (n < 0 && errno == EINTR));
}

uint64_t cgroup_oom_acknowledge(struct cgroup *cgroup, int fd, uint64_t before)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	uint64_t count;

	cgroup_oom_clear(fd);
	count = cgroup_oom_count(cgroup);
	for (int i = 0; cgroup->limits == &cgroup_v1_driver && count <= before && i < SETTLE_ROUNDS; i++) {
		nanosleep(&pause, NULL);
		count = cgroup_oom_count(cgroup);
	}
	return count;
}

static bool is_removed(const struct cgroup *cgroup)
{
	return faccessat(cgroup->trees[CGROUP_TREE_V2].fd, "cgroup.events", F_OK, 0) < 0;
}

uint64_t cgroup_oom_count(struct cgroup *cgroup)
{
	uint64_t count = cgroup_exists(cgroup) ? cgroup->limits->oom_count(cgroup) : 0;

	if (cgroup->oom_log_fd < 0)
		return count;
	if (count > cgroup->n_oom_counted)
		cgroup->n_oom_counted = count;
	if (count == 0 && is_removed(cgroup))
		cgroup->n_oom_logged += cgroup_oom_log_count(cgroup->oom_log_fd, cgroup->path);
	return cgroup->n_oom_counted > cgroup->n_oom_logged ? cgroup->n_oom_counted : cgroup->n_oom_logged;
}
