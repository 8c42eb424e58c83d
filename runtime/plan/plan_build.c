#include "plan/plan_build.h"

#include <errno.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"
#include "plan/plan_levels.h"

/* Several times what the largest document that spec/ takes can need. */
#define ARENA_LIMIT ((size_t)128 * 1024 * 1024)

typedef int part(struct plan_builder *builder, struct error *err);

/* In this order: later ones use what earlier ones decided (who root is outside, whether setgroups works, which mounts). */
static part *const container_parts[] = {
	plan_refusals_check, plan_namespaces_build, plan_process_build, plan_rootfs_build, plan_mounts_build,
	plan_devices_build,  plan_seccomp_build,    plan_cgroup_build,	plan_hooks_build,  plan_net_devices_build,
	plan_sysctl_build,   plan_limits_build,	    plan_harden,	plan_egress_build, plan_tcp_build,
};

static part *const exec_parts[] = {
	plan_refusals_check, plan_namespaces_build, plan_process_build, plan_seccomp_build,
	plan_cgroup_build,   plan_harden,	    plan_egress_build,	plan_tcp_build,
};

static part *const update_parts[] = { plan_cgroup_build, plan_harden };

static int build_annotations(struct plan_builder *builder, struct error *err)
{
	const struct spec *spec = builder->spec;
	struct plan_pair *list = arena_array_of(builder->arena, spec->n_annotations, struct plan_pair);
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < spec->n_annotations; i++) {
		rc = plan_builder_copy(builder, spec->annotations[i].name, &list[i].name, err);
		if (rc >= 0)
			rc = plan_builder_copy(builder, spec->annotations[i].value, &list[i].value, err);
	}
	builder->plan->annotations = list;
	builder->plan->n_annotations = spec->n_annotations;
	return rc;
}

/* Names and levels are literals: nothing to copy. */
static int build_rules(struct plan_builder *builder, struct error *err)
{
	struct plan_pair *list = arena_array_of(builder->arena, POLICY_N_RULES, struct plan_pair);

	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < POLICY_N_RULES; i++)
		list[i] = (struct plan_pair){ policy_rule_name((enum policy_rule)i),
					      policy_level_name(builder->levels[i]) };
	builder->plan->rules = list;
	builder->plan->n_rules = POLICY_N_RULES;
	return 0;
}

static int build_identity(struct plan_builder *builder, struct error *err)
{
	const struct plan_request *request = builder->request;
	struct plan *plan = builder->plan;
	int rc;

	if (!request->bundle || request->bundle[0] != '/')
		return error_set(err, ERROR_INTERNAL, EINVAL, "the bundle's path is not absolute: %.200s",
				 request->bundle ?: "");
	rc = plan_builder_copy(builder, request->id, &plan->id, err);
	if (rc >= 0)
		rc = plan_builder_copy(builder, request->bundle, &plan->bundle, err);
	if (rc >= 0)
		rc = plan_builder_copy(builder, builder->spec->oci_version, &plan->oci_version, err);
	if (rc >= 0)
		rc = build_rules(builder, err);
	return rc < 0 ? rc : build_annotations(builder, err);
}

static int build(struct plan_builder *builder, part *const *parts, size_t n, struct plan **ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_LIMIT);
	int rc;

	if (!arena)
		return error_memory(err);
	builder->arena = builder->report->arena = arena;
	builder->plan = arena_new_of(arena, struct plan);
	if (!builder->plan)
		return error_memory(err);
	rc = plan_levels_build(builder, err);
	if (rc >= 0)
		rc = build_identity(builder, err);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = parts[i](builder, err);
	if (rc < 0) {
		*builder->report = (struct report){ 0 };
		return rc;
	}
	builder->plan->arena = steal_ptr(&arena);
	*ret = builder->plan;
	return 0;
}

int plan_build(const struct plan_request *request, struct plan **ret, struct report *report, struct error *err)
{
	struct plan_builder builder = { .request = request,
					.spec = request->spec,
					.process = request->spec->process,
					.resources = &request->spec->linux_.resources,
					.host = request->host,
					.report = report };

	return build(&builder, container_parts, ARRAY_SIZE(container_parts), ret, err);
}

int plan_build_exec(const struct plan_request *request, const struct spec_process *process, struct plan **ret,
		    struct report *report, struct error *err)
{
	struct plan_builder builder = { .request = request,
					.spec = request->spec,
					.process = process,
					.resources = &request->spec->linux_.resources,
					.host = request->host,
					.report = report,
					.exec = true };

	return build(&builder, exec_parts, ARRAY_SIZE(exec_parts), ret, err);
}

int plan_build_update(const struct plan_request *request, const struct spec_resources *resources, struct plan **ret,
		      struct report *report, struct error *err)
{
	struct plan_builder builder = { .request = request,
					.spec = request->spec,
					.resources = resources,
					.host = request->host,
					.report = report,
					.update = true };

	return build(&builder, update_parts, ARRAY_SIZE(update_parts), ret, err);
}
