/* The floor: what config.json asks for and is not given all the same. Each rule of the policy from POLICY_FLOOR_FIRST on is one
 * function, which looks at the plan as the parts before it made it (plan_build.c), and changes or refuses what lies below the
 * floor. Pure, like all of this folder. Not for others. */
#pragma once

#include "plan/plan_builder.h"

/* All rules, in the order of the table in plan_harden.c. Runs as the last part, for containers and for execs. */
int plan_harden(struct plan_builder *builder, struct error *err);

/* The level of a rule for this container: the policy's, or what an annotation says to which the policy delegates that very rule,
 * or that only tightens. */
enum policy_level plan_harden_level(const struct plan_builder *builder, enum policy_rule rule);

/* A finding: the plan would be below the floor. line: all of its text is given, its rule and level are filled in here (applied: what
 * holds once it is adjusted; it becomes what was asked where it is not).
 * *ret_adjust: the caller is to make it so. False at the levels warn (reported) and off (nothing is said).
 * Returns 0, or a negative errno with err set: -EPERM and ERROR_REFUSED at the level enforce, naming where, what was asked, the rule,
 * the policy and the remedy; -ENOMEM. */
int plan_harden_find(struct plan_builder *builder, enum policy_rule rule, struct report_line *line, bool *ret_adjust,
		     struct error *err);
/* Is name in a list of the site's, in which a star at an entry's end stands for anything? */
bool plan_harden_lists(const struct policy_strings *list, const char *name);

/* Leaves in a list what check says to keep; the list that it was may be config.json's, and stays as it is. Returns 0, or a negative errno
 * with err set (check's, -ENOMEM), and *list and *n as they were. */
int plan_harden_keep(struct plan_builder *builder, const struct plan_pair **list, size_t *n,
		     int (*check)(struct plan_builder *builder, const struct plan_pair *pair, bool *ret_keep,
				  struct error *err),
		     struct error *err);

/* What a rule of the policy of that name says where it refuses: the report's line with all but its level, `where` and remedy or NULL. For
 * what can't be adjusted at the level adjust; plan_harden_find says it at enforce. Returns -EPERM with err set (ERROR_REFUSED). */
int plan_harden_refuse(const char *policy, const struct report_line *line, const char *remedy, struct error *err);

/* ---- plan_harden_namespaces.c ---- */

/* Rules host-namespace and cgroup-namespace. Not in the table: before the first part, which fills builder->added. */
int plan_harden_namespaces(struct plan_builder *builder, struct error *err);
/* Must a namespace that is joined by its path not be the host's own? */
bool plan_harden_refuses_the_hosts(const struct plan_builder *builder);
/* What that rule of the policy of that name says where it refuses the host's namespace of one kind (CLONE_NEW*) of those that CRI's
 * pods may share. Returns -EPERM with err set (ERROR_REFUSED). */
int plan_harden_refuse_the_hosts(uint64_t kind, const char *policy, struct error *err);

/* ---- plan_userns.c ---- */
/* Of a user namespace that config.json makes or joins: the least id of the host that it may map. 0: any. */
uint32_t plan_userns_least_id(const struct plan_builder *builder);

/* ---- plan_harden_egress.c ---- */

/* Rule egress-maximum. Not in the table: plan_egress.c asks. asked: value is the annotation's; otherwise there is none, and value
 * becomes the site's where that is to hold (*ret_holds). */
int plan_harden_egress(struct plan_builder *builder, bool asked, struct egress_value *value, bool *ret_holds,
		       struct error *err);

/* ---- plan_harden_mounts.c ---- */
int plan_harden_mount_flags(struct plan_builder *builder, struct error *err);
int plan_harden_mount_propagation(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_sources.c ---- */
/* Rule mount-source; of devices that are bound, rule device. */
int plan_harden_mount_source(struct plan_builder *builder, struct error *err);
/* The same rule, of the socket that a filter's listener is handed to: a listed one, or the container is refused. */
int plan_harden_listener(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_landlock.c ---- */
int plan_harden_landlock(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_process.c ---- */
int plan_harden_new_privileges(struct plan_builder *builder, struct error *err);
int plan_harden_session_keyring(struct plan_builder *builder, struct error *err);
int plan_harden_core_dump(struct plan_builder *builder, struct error *err);
int plan_harden_oom_score(struct plan_builder *builder, struct error *err);
/* The place of a limit (RLIMIT_*) in the list, or the list's end. */
size_t plan_harden_find_limit(const struct plan_process *process, int resource);
/* at: that place. Returns 0 or -ENOMEM. */
int plan_harden_set_limit_to_0(struct plan_builder *builder, int resource, size_t at, struct error *err);

/* ---- plan_harden_priority.c ---- */
/* Rule capability, of priorities: realtime, and above the usual one. */
int plan_harden_priority(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_capabilities.c ---- */
/* Is the container's root another one than the host's? */
bool plan_harden_has_user_namespace(const struct plan_builder *builder);
int plan_harden_ambient_capability(struct plan_builder *builder, struct error *err);
int plan_harden_capability(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_confinement.c ---- */
int plan_harden_seccomp(struct plan_builder *builder, struct error *err);
int plan_harden_apparmor(struct plan_builder *builder, struct error *err);

/* ---- one theme each ---- */
int plan_harden_masked_path(struct plan_builder *builder, struct error *err);
int plan_harden_sysctl(struct plan_builder *builder, struct error *err);
int plan_harden_hook(struct plan_builder *builder, struct error *err);
int plan_harden_annotation(struct plan_builder *builder, struct error *err);
int plan_harden_device(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_net_devices.c ---- */
/* Rule device, of network interfaces. */
int plan_harden_net_device(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_resources.c ---- */
int plan_harden_resource_missing(struct plan_builder *builder, struct error *err);
int plan_harden_resource_maximum(struct plan_builder *builder, struct error *err);

/* ---- plan_harden_unified.c ---- */
/* Rule resource-maximum, of what no number bounds. */
int plan_harden_unified(struct plan_builder *builder, struct error *err);
