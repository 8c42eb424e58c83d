/* Device rules of a container's cgroup. For plan_resources.c and plan_cgroup.c. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"
#include "spec/spec.h"

/* Everything denied, then the rules of the document, then what every container may use; memory from report->arena. Nothing
 * but a line in the report where this host won't let us limit devices. */
int plan_resources_devices_build(const struct spec_resources *resources, const struct host *host,
				 struct plan_resources *ret, struct report *report, struct error *err);
/* Is it one of those that each group allows, with at most the use that it allows? */
bool plan_resources_devices_is_default(const struct plan_device_rule *rule);
