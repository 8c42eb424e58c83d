#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "parent/cgroup/cgroup_internal.h"

#define SETTLE_ROUNDS 50 /* of a millisecond */

int cgroup_oom_fd(struct cgroup *cgroup, struct error *err)
{
	if (!cgroup_exists(cgroup))
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the container has no cgroup that tells of out-of-memory kills");
	return cgroup->limits->oom_fd(cgroup, err);
}

uint64_t cgroup_oom_acknowledge(struct cgroup *cgroup, int fd, uint64_t before)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	uint64_t count;
	char events[4096];
	ssize_t n;

	do
		n = read(fd, events, sizeof(events));
	while (n > 0 || (n < 0 && errno == EINTR));
	count = cgroup_oom_count(cgroup);
	for (int i = 0; cgroup->limits == &cgroup_v1_driver && count <= before && i < SETTLE_ROUNDS; i++) {
		nanosleep(&pause, NULL);
		count = cgroup_oom_count(cgroup);
	}
	return count;
}

uint64_t cgroup_oom_count(struct cgroup *cgroup)
{
	return cgroup_exists(cgroup) ? cgroup->limits->oom_count(cgroup) : 0;
}
