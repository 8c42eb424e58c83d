/* Limits changed, and what a container uses: brig update, and brig events. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "container/brig.h"
#include "container/creation/creation.h"
#include "container/explain/expectation.h"
#include "container/policy_facts.h"
#include "container/record.h"
#include "container/status.h"
#include "container/store.h"
#include "container/stored_plan.h"
#include "container/stored_policy.h"
#include "parent/cgroup/cgroup.h"
#include "parent/host.h"
#include "plan/plan_build.h"
#include "policy/policy.h"
#include "spec/spec.h"

#define UPDATE_ARENA ((size_t)64 * 1024 * 1024)

static int open_cgroup(const struct container *container, struct cgroup **ret, struct error *err)
{
	AUTO_CLOSE int pidfd = -EBADF;
	int rc = status_open_running(container, &pidfd, err);

	return rc < 0 ? rc : cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, ret, err);
}

/* Who asks for a limit sees its number nowhere else: a lower one is said, other than at create, which has the report. */
static void tell(const struct report *report)
{
	for (size_t i = 0; i < report->n_lines; i++) {
		const struct report_line *line = &report->lines[i];

		if (line->level == REPORT_ADJUSTED)
			log_warning("%s: %s: asked for %s, applied %s: %s", line->rule, line->where,
				    line->asked ?: "nothing", line->applied ?: "nothing", line->why);
	}
}

struct new_limits {
	struct plan *plan;
	struct report report; /* in the plan's memory */
};

/* As at the container's creation: the same policy, and the annotations that it was made with. */
static int decide(const struct brig *brig, const struct container *container, const struct spec_resources *asked,
		  struct new_limits *ret, struct error *err)
{
	AUTO(spec_free) struct spec *spec = NULL;
	AUTO(policy_done) struct policy policy = { 0 };
	struct host host;
	struct plan_request request = { .policy = &policy,
					.host = &host,
					.id = container->state.id,
					.bundle = container->state.bundle,
					.cgroup_manager = container->state.cgroup_manager };
	int rc = stored_policy_load(brig, &container->state, &policy, err);

	if (rc >= 0)
		rc = host_probe(&host, err);
	if (rc >= 0)
		rc = stored_plan_spec(container, &spec, err);
	request.spec = spec;
	if (rc >= 0)
		rc = policy_facts_parents(&request, container->state.cgroup_path, &request.parents, err);
	if (rc >= 0)
		rc = plan_build_update(&request, asked, &ret->plan, &ret->report, err);
	if (rc >= 0)
		creation_log_report(&ret->report);
	return rc;
}

/* With a split cgroup the limits are on the outer group, and programs see the inner one as their root: the new values are shown
 * there too. */
static int apply(const struct container *container, const struct plan *plan, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int rc = open_cgroup(container, &cgroup, err);

	if (rc >= 0 && container->state.split_cgroup)
		rc = cgroup_open_entry(cgroup, CGROUP_ENTRY_CONTAINER, err);
	if (rc >= 0)
		rc = cgroup_update(cgroup, &plan->cgroup.resources, err);
	return rc < 0 || !container->state.split_cgroup ? rc : cgroup_show_new_limits(cgroup, err);
}

/* Recorded in both cases: an attempt at other limits that was refused is as much an event as one that was not. */
static int update(const struct brig *brig, const struct container *container, const struct spec_resources *asked,
		  struct error *err)
{
	struct new_limits limits = { 0 };
	struct error failure = { 0 };
	int rc = decide(brig, container, asked, &limits, &failure);

	if (rc >= 0)
		rc = apply(container, limits.plan, &failure);
	if (rc >= 0) {
		tell(&limits.report);
		expectation_update(container, &limits.plan->cgroup.resources);
	}
	record_update(brig, &container->state, limits.plan, &limits.report, rc < 0 ? &failure : NULL);
	plan_free(limits.plan);
	if (rc < 0 && err)
		*err = failure;
	return rc;
}

int brig_update(const struct brig *brig, const char *id, const char *resources_json, size_t length, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(UPDATE_ARENA);
	struct spec_resources resources = { 0 };
	struct container container;
	int rc;

	if (!arena)
		return error_memory(err);
	rc = spec_parse_resources(resources_json, length, arena, &resources, err);
	if (rc >= 0)
		rc = store_open(brig, id, STORE_LOCKED, &container, err);
	if (rc < 0)
		return rc;
	rc = update(brig, &container, &resources, err);
	store_done(&container);
	return rc;
}

int brig_statistics(const struct brig *brig, const char *id, struct buffer *json, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = open_cgroup(&container, &cgroup, err);
	if (rc >= 0)
		rc = cgroup_statistics(cgroup, json, err);
	store_done(&container);
	return rc;
}

/* 1: killed for memory since `before`; 0: the container ended; -ETIME: neither. */
static int poll_oom(struct cgroup *cgroup, int oom_fd, int pidfd, int timeout_ms, struct error *err)
{
	struct pollfd polled[] = { { .fd = oom_fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	uint64_t before = cgroup_oom_count(cgroup);
	int64_t deadline = clock_ms() + timeout_ms, left = timeout_ms;
	int n;

	for (;;) {
		n = poll(polled, ARRAY_SIZE(polled), (int)left);
		if (n < 0 && errno != EINTR)
			return error_system(err, errno, "wait for events of the cgroup");
		if (n == 0)
			return error_set(err, ERROR_TIMEOUT, ETIME, "nothing happened within %d ms", timeout_ms);
		if (polled[0].revents && cgroup_oom_acknowledge(cgroup, oom_fd, before) > before)
			return 1;
		if (cgroup_oom_count(cgroup) > before)
			return 1;
		if (polled[1].revents)
			return 0;
		/* The group tells of more than that, and a busy one may do so all the time. */
		left = timeout_ms < 0 ? -1 : deadline - clock_ms();
		if (left < 0 && timeout_ms >= 0)
			left = 0;
	}
}

static int wait_oom(const struct container *container, int timeout_ms, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	AUTO_CLOSE int pidfd = -EBADF, oom_fd = -EBADF;
	int rc = status_open_running(container, &pidfd, err);

	if (rc < 0)
		return 0;
	rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);
	if (rc < 0)
		return rc;
	/* Nobody counts memory there: the container's end is all that can be waited for. */
	oom_fd = cgroup_oom_fd(cgroup, err);
	if (oom_fd < 0 && err->kind != ERROR_UNSUPPORTED)
		return oom_fd;
	return poll_oom(cgroup, oom_fd, pidfd, timeout_ms, err);
}

int brig_wait_oom(const struct brig *brig, const char *id, int timeout_ms, struct error *err)
{
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = wait_oom(&container, timeout_ms, err);
	store_done(&container);
	return rc;
}
