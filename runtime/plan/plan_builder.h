/* What the files of this folder share while they fill one plan. Not for others. */
#pragma once

#include <linux/capability.h>

#include "plan/plan_build.h"
#include "plan/report.h"

struct plan_builder {
	const struct plan_request *request;
	const struct spec *spec;
	const struct spec_process *process; /* of the spec, or of an exec; may be NULL */
	const struct host *host;
	struct arena *arena;
	struct plan *plan;
	struct report *report;
	/* The maps that config.json gives, whether the user namespace is made or joined. */
	struct plan_id_map uids, gids;
	bool exec;
	/* Kinds of namespaces that config.json does not list, and the container has all the same (plan_harden_namespaces.c). */
	uint64_t added;
	bool floor_userns; /* a user namespace that config.json does not ask for (plan_userns.c): uids and gids are its maps */
	bool update;				  /* the plan has nothing but the cgroup's resources */
	const struct spec_resources *resources;	  /* what is asked for: the spec's, or an update's */
	enum policy_level levels[POLICY_N_RULES]; /* plan_levels.c */
};

enum plan_namespace_origin { PLAN_NAMESPACE_HOST, PLAN_NAMESPACE_NEW, PLAN_NAMESPACE_JOINED };

/* ---- plan_builder.c ---- */

/* Where the container's namespace of that CLONE_NEW* kind comes from. */
enum plan_namespace_origin plan_builder_namespace(const struct plan_builder *builder, uint64_t flag);
/* Effective capability of the runtime, in whatever user namespace it is in. */
bool plan_builder_can(const struct plan_builder *builder, int capability);
/* The same over the machine itself: what the kernel asks for in the initial user namespace. */
bool plan_builder_can_on_host(const struct plan_builder *builder, int capability);
/* A copy in the plan's arena; NULL stays NULL. Returns 0 or -ENOMEM with err set. */
int plan_builder_copy(const struct plan_builder *builder, const char *text, const char **ret, struct error *err);
/* A NULL-terminated copy. */
int plan_builder_copy_list(const struct plan_builder *builder, const char *const *list, size_t n,
			   const char *const **ret, struct error *err);
/* arena_printf with the error set. NULL: no memory. */
#define plan_builder_text(builder, err, ...) \
	(arena_printf((builder)->arena, __VA_ARGS__) ?: (error_memory(err), (char *)NULL))

/* ---- plan_withheld.c ---- */

/* config.json asks for something that the host withholds, and the plan goes on without it, as line says (its level and rule are
 * filled in here, all of its text is given): at the level of the policy's rule it is reported, left unsaid, or refused. Returns 0,
 * or a negative errno with err set: -EPERM and ERROR_REFUSED, or -ENOMEM. */
int plan_withheld_report(const struct plan_builder *builder, enum policy_rule rule, struct report_line *line,
			 struct error *err);

/* ---- plan_userns.c ---- */

/* Is there to be a user namespace that config.json does not ask for? Sets the builder's floor_userns and maps. */
int plan_userns_decide(struct plan_builder *builder, struct error *err);
/* Are the ids of that bind mount of config.json mapped into it? */
bool plan_userns_maps(const struct plan_builder *builder, const struct spec_mount *mount);

/* ---- one theme each; they run in this order (plan_build.c) ---- */

/* Each fills its part of builder->plan from builder->spec and builder->host, and adds lines to builder->report. Returns 0, or a
 * negative errno with err set: -EINVAL with the path in config.json, -EOPNOTSUPP for what this host has not, -EPERM with
 * ERROR_REFUSED, -ENOMEM. */
int plan_refusals_check(struct plan_builder *builder, struct error *err);
int plan_namespaces_build(struct plan_builder *builder, struct error *err);
/* One list of mappings, checked by spec/. */
int plan_namespaces_copy_map(const struct plan_builder *builder, const struct spec_id_mapping *mappings, size_t n,
			     struct plan_id_map *ret, struct error *err);
int plan_process_build(struct plan_builder *builder, struct error *err);
/* Processors of an exec, memory nodes. */
int plan_placement_build(struct plan_builder *builder, struct error *err);
int plan_capabilities_build(struct plan_builder *builder, struct error *err);
int plan_rlimits_build(struct plan_builder *builder, struct error *err);
int plan_rootfs_build(struct plan_builder *builder, struct error *err);
int plan_mounts_build(struct plan_builder *builder, struct error *err);
int plan_devices_build(struct plan_builder *builder, struct error *err);
int plan_seccomp_build(struct plan_builder *builder, struct error *err);
int plan_cgroup_build(struct plan_builder *builder, struct error *err);
/* Who manages the container's cgroup. An ordinary user whom nobody gave a part of the tree gets a container all the same, without a
 * group, as from other runtimes; who names a path gets that or an error. */
enum plan_cgroup_manager plan_cgroup_manager(const struct plan_builder *builder);
/* For the report: why limits of a container without a cgroup are not held. */
const char *plan_cgroup_why_none(const struct plan_builder *builder);
/* What annotations say of systemd's unit. ERROR_INVALID: a value that is not of the property's type. */
int plan_cgroup_properties_build(struct plan_builder *builder, struct error *err);
int plan_hooks_build(struct plan_builder *builder, struct error *err);
/* Interfaces of the host's. */
int plan_net_devices_build(struct plan_builder *builder, struct error *err);
int plan_sysctl_build(struct plan_builder *builder, struct error *err);
/* After plan_harden: of what the floor has left. */
int plan_egress_build(struct plan_builder *builder, struct error *err);
/* After plan_harden as well: it adds to what is locked, and to no_new_privs. */
int plan_tcp_build(struct plan_builder *builder, struct error *err);
int plan_limits_build(struct plan_builder *builder, struct error *err);
