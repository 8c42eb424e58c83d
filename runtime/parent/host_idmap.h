/* Which file systems can be mounted with mapped ids (mount_setattr(2) MOUNT_ATTR_IDMAP), by kernel version: a fact that planning
 * depends on, found without trying. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/vfs.h>

#include "plan/plan_root_mount.h"

#define HOST_IDMAP_VERSION(major, minor) ((unsigned)(major) << 16 | (unsigned)(minor))

/* An overlay itself can't, but since then one can be made of layers that are mapped, each on a file system that can. */
#define HOST_IDMAP_LAYERS_SINCE HOST_IDMAP_VERSION(6, 15)
#define HOST_IDMAP_LAYERS_SINCE_TEXT "6.15"

/* The kernel that runs, as HOST_IDMAP_VERSION: uname(2). 0: it does not say. */
unsigned host_idmap_kernel(void);
/* file_system: *_MAGIC of statfs(2). Unknown ones: no. docs/user-namespaces.md has the table. */
bool host_idmap_supported(uint32_t file_system, unsigned kernel);
/* The same by the name that mount(2) takes ("ext4"): for what is not mounted yet. */
bool host_idmap_type_supported(const char *type, unsigned kernel);
/* The same of a root file system that is still to be made: of an overlay all layers have to. look: statfs(2); where it fails: no. */
bool host_idmap_root_supported(const struct plan_root_mount *root, unsigned kernel,
			       int (*look)(const char *path, struct statfs *ret));

struct host_idmap_row {
	const char *type;     /* as mount(2) takes it */
	uint32_t file_system; /* *_MAGIC */
	unsigned since;	      /* HOST_IDMAP_VERSION; 0: never */
};

/* The whole table, ended by a row without type: for docs/user-namespaces.md's test. */
const struct host_idmap_row *host_idmap_table(void);
