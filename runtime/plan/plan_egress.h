/* The annotation that says where a container may connect to. Not for others. */
#pragma once

#include <stdbool.h>

#include "plan/plan_builder.h"

#define PLAN_EGRESS_ANNOTATION "brig.dev/egress"
#define PLAN_EGRESS_WHERE "annotations[\"" PLAN_EGRESS_ANNOTATION "\"]"

/* Is this name of an annotation one that plan_egress_build() reads? One below brig.dev/ that nobody reads is a
 * warning in the report. */
bool plan_egress_knows(const char *annotation);
