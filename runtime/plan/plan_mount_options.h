/* The options of a mount: one table of all that OCI 1.3 defines; what is not in it belongs to the file system. */
#pragma once

#include "plan/plan_builder.h"

/* Places at the end of the list of data options that are left free for the plan's own. */
#define PLAN_MOUNT_OPTIONS_SPARE 3

struct plan_mount_asked {
	const char *where; /* "mounts[3]" */
	const struct spec_mount *spec;
};

/* Fills attributes, propagation, recursive, copy_up, idmap and the data options of ret; the kind becomes PLAN_MOUNT_BIND
 * where an option says bind or rbind. Later options win over earlier ones. Returns 0 or a negative errno with err set. */
int plan_mount_options_parse(const struct plan_builder *builder, const struct plan_mount_asked *asked,
			     struct plan_mount *ret, struct error *err);
/* The i-th name of the table, for the features document; NULL after the last. */
const char *plan_mount_options_name(size_t i);
