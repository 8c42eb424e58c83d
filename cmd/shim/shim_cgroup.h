/* The shim's own cgroup (option shim_cgroup). */
#pragma once

#include "base/error.h"

/* Moves the caller into the group at path, from the root of the hierarchy; on a host with several, in each that has it.
 * It has to exist. Returns 0 or a negative errno with err set. */
int shim_cgroup_join(const char *path, struct error *err);
