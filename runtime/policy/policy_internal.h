/* What the files of this folder share. */
#pragma once

#include "base/names.h"
#include "policy/policy.h"

extern const struct name_table policy_names_sets, policy_names_levels;

/* The levels of a set, without a file. */
void policy_init(struct policy *policy, enum policy_set set);
/* Replaces ret, which is untouched on failure. */
int policy_read_file(const char *path, struct policy *ret, struct error *err);
