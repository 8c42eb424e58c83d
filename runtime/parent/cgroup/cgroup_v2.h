/* The v2 driver's parts. */
#pragma once

#include "base/json_write.h"
#include "parent/cgroup/cgroup_internal.h"

/* ---- cgroup_v2_settings.c: pure ---- */
int cgroup_v2_settings(const struct plan_resources *resources, const struct cgroup_facts *facts,
		       struct cgroup_settings *settings, struct error *err);
/* For v1 as well: the file is the same. */
void cgroup_v2_settings_pids(struct cgroup_settings *settings, int64_t limit);
/* resources->unified, on whatever v2 tree there is. */
int cgroup_v2_settings_unified(struct cgroup_settings *settings, const struct plan_resources *resources,
			       struct error *err);

/* ---- cgroup_v2.c ---- */
/* Is it in cgroup.controllers of that directory? */
bool cgroup_v2_offers(int fd, enum cgroup_controller controller);

/* ---- cgroup_v2_statistics.c ---- */
void cgroup_v2_statistics(struct cgroup *cgroup, struct json_writer *writer);
