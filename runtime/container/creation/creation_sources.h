/* Looking at where the mounts of a config.json come from, for the floor's rules. Internal to creation. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "container/brig.h"
#include "plan/plan_build.h"

/* Fills in the facts of planned about sources, root file system and brig's own state; its spec, policy and bundle are there. Their
 * memory is the arena's. Makes no system call where no rule asks. */
int creation_sources_look(const struct brig *brig, const struct brig_supervisor *supervisor, struct arena *arena,
			  struct plan_request *planned, struct error *err);
