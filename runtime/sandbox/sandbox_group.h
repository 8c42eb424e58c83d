/* An ordinary user's part of the cgroup tree, where somebody handed one over (systemd for a user's session, Delegate=): there the limits of a
 * sandbox hold for all of it together. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "container/brig.h"

struct sandbox_group {
	const char *path;   /* of the group to be made, as linux.cgroupsPath has it; NULL: there is none */
	bool has_cpu;	    /* memory and pids it has in any case */
	const char *remedy; /* for who has none: what there is to be done; or NULL */
};

/* What a sandbox of that id gets: root, and who asked for systemd's, what brig makes for any container; an ordinary user's own, where there is
 * one, or none (brig->cgroup_disabled). Root of such a user's container counts as he does where it may make none. */
int sandbox_group_choose(struct brig *brig, const char *id, struct arena *arena, struct sandbox_group *ret,
			 struct error *err);

/* For a sandbox of that id: beside our own group, or in it where it has no process of its own but its groups. A tree of v1's, one without
 * controllers for memory and pids, one that is not ours to write: none, which is no failure. -ENOMEM. */
int sandbox_group_find(const char *id, struct arena *arena, struct sandbox_group *ret);
/* What a user without one is told, behind "... are not held": version_2 is about /sys/fs/cgroup, runtime_dir $XDG_RUNTIME_DIR or NULL. */
const char *sandbox_group_remedy(bool version_2, const char *runtime_dir);
/* The same in the tree root_fd, for who is in the group own ("/a/b"). */
int sandbox_group_find_in(int root_fd, const char *own, const char *id, struct arena *arena, struct sandbox_group *ret);
