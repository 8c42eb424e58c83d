/* The parts of linux.resources that are lists. For plan_resources.c. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"
#include "spec/spec.h"

/* Everything but the device rules; memory from arena. */
int plan_resources_lists_build(const struct spec_resources *resources, struct arena *arena, struct plan_resources *ret,
			       struct error *err);
