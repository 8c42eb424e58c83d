/* How strictly each rule of the policy holds for one container: as the policy says, or as an annotation does that only tightens it,
 * or that the policy delegates the rule to. Not for others. */
#pragma once

#include "plan/plan_builder.h"

#define PLAN_LEVELS_PREFIX "brig.dev/"

/* Fills in builder->levels: the first of all parts. An annotation's value that is no level is ERROR_INVALID; one that would loosen
 * what is not delegated to it is reported, and changes nothing. */
int plan_levels_build(struct plan_builder *builder, struct error *err);
/* Is that annotation the name of a rule behind the prefix, or one that the policy delegates to? */
bool plan_levels_knows(const struct plan_builder *builder, const char *annotation);
