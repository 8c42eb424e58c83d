/* What the server gives up before its first connection. */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"

/* As root: becomes user and group id with no other groups and no capabilities. For anybody: no new privileges, no more than n_files
 * descriptors, no core dumps. Fails where root would be left. Returns 0 or a negative errno with err set. */
int privileges_drop(uid_t id, rlim_t n_files, struct error *err);
