/* Whether a container is limited as it was told, and by what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "container/explain/explain.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/cgroup_parents.h"

#define SYSTEMD_ROUNDS_TO 10 /* thousandths of a processor */

struct limit {
	const char *name, *controller, *v2_file, *v1_file, *unit;
	size_t offset;	 /* in struct host_limits */
	int64_t planned; /* as it is shown */
	uint64_t given;	 /* as it is compared; 0: none, or not known */
	uint64_t own, above;
};

static uint64_t lower(uint64_t one, uint64_t other)
{
	return one == 0 || (other != 0 && other < one) ? other : one;
}

/* A limit that is gone, or looser than it was given: somebody else wrote it. A tighter one is no harm. */
static void find_limit(struct cgroup *cgroup, const struct limit *limit, const char *when,
		       struct explain_findings *findings)
{
	bool v2 = true,
	     agrees = limit->planned <= 0 || (limit->own != 0 && (!limit->given || limit->own <= limit->given));
	uint64_t holds = lower(limit->own, limit->above);
	char text[64] = "not limited here", given[32] = "none", above[80] = "";
	int fd = cgroup_files(cgroup, limit->controller, &v2);

	if (fd >= 0)
		fd_read_file_at(fd, v2 ? limit->v2_file : limit->v1_file, text, sizeof(text));
	if (limit->planned > 0)
		snprintf(given, sizeof(given), "%" PRId64, limit->planned);
	if (limit->above != 0 && holds == limit->above)
		snprintf(above, sizeof(above), "; a group above it has %" PRIu64 "%s", limit->above, limit->unit);
	explain_find(findings, limit->name, agrees, "%s, %s in the %s%s", text, given, when, above);
	explain_holds(findings, limit->name, holds);
}

/* systemd writes the time for a second, in whole hundredths and rounded up, whenever it writes the file anew. */
static uint64_t cpu_given(const struct container *container, const struct expected_limits *limits)
{
	uint64_t given = expected_limits_cpu(limits);

	if (container->state.cgroup_manager != PLAN_CGROUP_SYSTEMD)
		return given;
	return (given + SYSTEMD_ROUNDS_TO - 1) / SYSTEMD_ROUNDS_TO * SYSTEMD_ROUNDS_TO;
}

static uint64_t in(const struct host_limits *limits, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)limits + offset, sizeof(value));
	return value;
}

void explain_limits(const struct container *container, const struct expectation *expected,
		    struct explain_findings *findings)
{
	const struct expected_limits *given = &expected->limits;
	const char *when = expected->is_updated ? "last update" : "plan";
	struct limit limits[] = {
		{ "limit-memory", "memory", "memory.max", "memory.limit_in_bytes", "",
		  offsetof(struct host_limits, memory), given->memory, (uint64_t)given->memory },
		{ "limit-pids", "pids", "pids.max", "pids.max", "", offsetof(struct host_limits, pids), given->pids,
		  (uint64_t)given->pids },
		{ "limit-cpu", "cpu", "cpu.max", "cpu.cfs_quota_us", " thousandths of a processor",
		  offsetof(struct host_limits, cpu), given->cpu_quota, cpu_given(container, given) },
	};
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct error err = { 0 };
	struct host_limits own, above;

	if (!container->state.cgroup_path ||
	    cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, &err) < 0) {
		explain_find(findings, "limits", given->memory + given->pids + given->cpu_quota == 0,
			     "it has no control group%s%s", err.message[0] ? ": " : "", err.message);
		return;
	}
	cgroup_parents_of(cgroup, &own, &above);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		limits[i].own = in(&own, limits[i].offset);
		limits[i].above = in(&above, limits[i].offset);
		find_limit(cgroup, &limits[i], when, findings);
	}
}
