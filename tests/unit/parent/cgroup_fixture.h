/* A group for one test: below a name of its own, on this host's layout or in a private mount namespace that shows another.
 * Skips the test without root. Every test looks at its end that nothing is left. */
#pragma once

#include "parent/cgroup/cgroup_internal.h"

#define CGROUP_FIXTURE_TIMEOUT_MS 20000

struct cgroup_fixture {
	char path[128];
	struct plan_cgroup plan;
	struct cgroup *cgroup;
	struct error err;
};

void cgroup_fixture_need_layout(enum host_cgroup_layout wanted);
void cgroup_fixture_need_controller(enum cgroup_controller controller);
void cgroup_fixture_init(struct cgroup_fixture *f, const char *name);
void cgroup_fixture_create(struct cgroup_fixture *f);
/* Removes the group by a fresh look at the host, as `delete` does it, and with its parent. */
void cgroup_fixture_finish(struct cgroup_fixture *f);
void cgroup_fixture_expect_file(struct cgroup_fixture *f, unsigned tree, const char *file, const char *wanted);
/* A child in the group that waits to be killed. */
pid_t cgroup_fixture_spawn(struct cgroup_fixture *f);
/* Its status, as waitpid(2) gives it. */
int cgroup_fixture_reap(pid_t pid);
/* Processes in the group. */
size_t cgroup_fixture_count(struct cgroup_fixture *f);
