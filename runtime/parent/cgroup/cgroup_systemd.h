/* The group of a container that systemd makes: a transient scope, asked for by way of brig-systemd (docs/adr/0014). The tree's files
 * are written and read by the v2 driver all the same. Not for others. */
#pragma once

#include "parent/cgroup/cgroup_helper.h"
#include "parent/cgroup/cgroup_internal.h"

/* Fills the group's scope and path. ERROR_UNSUPPORTED: not a pure v2 tree, or a build without the helper. */
int cgroup_systemd_find(const char *asked, struct cgroup **ret, struct error *err);
/* As cgroup_tree_check_unused has it, where a scope of that name may be about to go: waits for that a while. */
int cgroup_systemd_check_unused(struct cgroup *cgroup, struct error *err);
/* Starts the scope with the plan's limits as properties, and opens its directory. It is kept alive by a process of ours until
 * cgroup_release or cgroup_free. ERROR_EXISTS: a unit of that name is running. ERROR_TIMEOUT: nobody answered. */
int cgroup_systemd_start(struct cgroup *cgroup, const struct plan_cgroup *plan, struct error *err);
/* Tells systemd what was written to the group's files; request: property lines (cgroup_unit_properties). Nothing is done for none. */
int cgroup_systemd_set(const struct cgroup *cgroup, const struct buffer *properties, struct error *err);
/* That process is no part of the container: the limit on processes has one more until cgroup_systemd_release, which puts it right. */
int cgroup_systemd_make_room(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err);
int cgroup_systemd_release(struct cgroup *cgroup, struct error *err);
/* Ends the process that keeps the scope alive. */
void cgroup_systemd_let_go(struct cgroup *cgroup);
/* The scope goes, also a failed one. That there is none is no error. */
int cgroup_systemd_stop(const struct cgroup *cgroup, struct error *err);
