/* The end of a container. */
#pragma once

#include "base/error.h"
#include "container/brig.h"
#include "container/store.h"

/* Kills what is left, removes the cgroup, runs the poststop hooks and removes the state of a locked container. */
int delete_locked(const struct brig *brig, struct container *container, struct error *err);
