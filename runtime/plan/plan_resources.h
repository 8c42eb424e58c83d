/* linux.resources as numbers for the cgroup drivers; also what `update` takes by itself. Pure. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"
#include "spec/spec.h"

/* ret gets what resources asks for; memory comes from report->arena, which the caller sets. Device rules: those of the
 * document, then what every container may use; none in the document: none in the plan. Returns 0, or a negative errno
 * with err set and ret untouched. Source: OCI config-linux.md "Control groups". */
int plan_resources_build(const struct spec_resources *resources, const struct host *host, struct plan_resources *ret,
			 struct report *report, struct error *err);
