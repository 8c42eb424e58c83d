/* The annotation that takes TCP away. Not for others. */
#pragma once

#include <stdbool.h>

#include "plan/plan_builder.h"

#define PLAN_TCP_ANNOTATION "brig.dev/tcp"
#define PLAN_TCP_WHERE "annotations[\"" PLAN_TCP_ANNOTATION "\"]"

/* Is this name of an annotation the one that plan_tcp_build() reads? */
bool plan_tcp_knows(const char *annotation);
