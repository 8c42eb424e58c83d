/* What a supervisor has for all containers of a pod, as mounts that a plan can be built with. Internal to creation. */
#pragma once

#include "base/error.h"
#include "container/brig.h"
#include "spec/spec.h"

/* supervisor: NULL for none. *ret: to be freed; its strings are the supervisor's. */
int creation_binds_mounts(const struct brig_supervisor *supervisor, const struct spec *spec, struct spec_mount **ret,
			  size_t *ret_n, struct error *err);
