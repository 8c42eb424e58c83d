/* What each type of file system needs beyond its options, and who can mount it. */
#pragma once

#include "plan/plan_builder.h"

/* mount: a new file system or the cgroup view, with its options parsed. Chooses the maker, folds what has no meaning for a
 * new mount, adapts options to the user namespace. A sysfs that the kernel would refuse becomes a bind mount of /sys.
 * Returns 0 or a negative errno with err set. */
int plan_mount_kinds_finish(struct plan_builder *builder, struct plan_mount *mount, struct error *err);
