/* process.rlimits: which the child sets itself, and which the parent has to set for it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"

static char *limit_text(const struct plan_builder *builder, const struct plan_rlimit *limit, struct error *err)
{
	char soft[24] = "unlimited", hard[24] = "unlimited";

	if (limit->soft != RLIM_INFINITY)
		snprintf(soft, sizeof(soft), "%" PRIu64, limit->soft);
	if (limit->hard != RLIM_INFINITY)
		snprintf(hard, sizeof(hard), "%" PRIu64, limit->hard);
	return plan_builder_text(builder, err, "soft %s, hard %s", soft, hard);
}

/* Podman's and containerd's defaults ask for more than a machine without CAP_SYS_RESOURCE lets us give. */
static int lower(struct plan_builder *builder, const char *where, struct plan_rlimit *limit, struct error *err)
{
	uint64_t most = builder->host->rlimit_hard[limit->resource];
	struct report_line line = { .where = where, .why = "raising a hard limit takes CAP_SYS_RESOURCE on the host" };

	line.asked = limit_text(builder, limit, err);
	limit->hard = most;
	if (limit->soft > most)
		limit->soft = most;
	line.applied = limit_text(builder, limit, err);
	return line.asked && line.applied ? plan_withheld_report(builder, POLICY_RLIMIT_RAISE, &line, err) : -ENOMEM;
}

static int build_one(struct plan_builder *builder, size_t i, struct plan_rlimit *ret, struct error *err)
{
	const struct spec_rlimit *asked = &builder->process->rlimits[i];
	const char *where, *name = names_text(&names_rlimits, (uint64_t)asked->type);

	*ret = (struct plan_rlimit){ .resource = asked->type, .soft = asked->soft, .hard = asked->hard };
	if (asked->type < 0 || (size_t)asked->type >= ARRAY_SIZE(builder->host->rlimit_hard))
		return error_invalid(err, "process.rlimits[%zu].type: unknown resource %d", i, asked->type);
	if (asked->hard <= builder->host->rlimit_hard[asked->type])
		return 0;
	if (plan_builder_can_on_host(builder, CAP_SYS_RESOURCE)) {
		/* setrlimit(2) asks for the capability in the initial user namespace: the child won't have it in its own. */
		ret->by_parent = plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_HOST;
		return 0;
	}
	where = plan_builder_text(builder, err, "process.rlimits[%zu] (%s)", i, name ?: "?");
	return where ? lower(builder, where, ret, err) : -ENOMEM;
}

int plan_rlimits_build(struct plan_builder *builder, struct error *err)
{
	size_t n = builder->process->n_rlimits;
	struct plan_rlimit *limits = arena_array_of(builder->arena, n, struct plan_rlimit);
	int rc = limits ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = build_one(builder, i, &limits[i], err);
	builder->plan->process.rlimits = limits;
	builder->plan->process.n_rlimits = n;
	return rc;
}
