/* The root file system that a supervisor hands over as a mount, in the words of mount(8) and of containerd's snapshotters, as
 * what is to be done. Pure. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "plan/plan.h"
#include "spec/spec.h"

#define PLAN_ROOT_LAYERS_MAX 500 /* OVL_MAX_STACK */
#define PLAN_ROOT_OPTIONS_MAX 512
#define PLAN_ROOT_OPTION_BYTES_MAX ((size_t)256 * 1024)

struct plan_root_mount {
	/* idmap: of the layers, or of the whole where it is no overlay. options: what is left for fsconfig(2). */
	struct plan_mount mount;
	bool is_overlay;
	const char *const *lower; /* overlay: absolute paths, the topmost first */
	size_t n_lower;
	const char *upper, *work; /* or NULL */
	bool maps_upper;	  /* too: the upper layer keeps the owners that it has, and gets, on disk */
};

/* asked: type, source and options count. `ret` lives in the arena. ERROR_INVALID, ERROR_UNSUPPORTED: the message names the
 * mount's type and the option. */
int plan_root_mount_build(struct arena *arena, const struct spec_mount *asked, struct plan_root_mount *ret,
			  struct error *err);
/* The outside ids of a map: is id among them? */
bool plan_root_mount_is_mapped(const struct plan_id_map *map, uint32_t id);
