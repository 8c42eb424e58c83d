/* The end of a container. */
#pragma once

#include "base/error.h"
#include "container/brig.h"
#include "container/store.h"

struct audit_usage;
struct cgroup;

/* Kills what is left, removes the cgroup, runs the poststop hooks and removes the state of a locked container. */
int delete_locked(const struct brig *brig, struct container *container, struct error *err);
/* The same, with its cgroup (NULL: it has none) open already. known: what it has used, or NULL: that is read for the audit trail. */
int delete_opened(const struct brig *brig, struct container *container, struct cgroup *cgroup,
		  const struct audit_usage *known, struct error *err);
