/* The v1 driver's parts. */
#pragma once

#include "base/json_write.h"
#include "parent/cgroup/cgroup_internal.h"

/* ---- cgroup_v1_settings.c: pure ---- */
int cgroup_v1_settings(const struct plan_resources *resources, const struct cgroup_facts *facts,
		       struct cgroup_settings *settings, struct error *err);

/* ---- cgroup_v1_devices.c ---- */
int cgroup_v1_devices(struct cgroup *cgroup, const struct plan_resources *resources, bool fresh, struct error *err);

/* ---- cgroup_v1_statistics.c ---- */
void cgroup_v1_statistics(struct cgroup *cgroup, struct json_writer *writer);
