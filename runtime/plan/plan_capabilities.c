/* process.capabilities: names into bits, and what brig itself does not have left out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"

/* One of the five sets as config.json has it, and what limits it. */
struct set {
	const char *where;
	const char *const *names;
	size_t n;
	uint64_t grantable;
	uint64_t *ret;
	const char *why;
	uint64_t inert; /* asked for as a matter of course, and without effect anywhere: a remark, no warning */
};

/* A comma-separated list that grows by replacement; short, so that the waste in the arena does not matter. */
static int append(const struct plan_builder *builder, const char **list, const char *name, struct error *err)
{
	char *longer = *list ? plan_builder_text(builder, err, "%s, %.64s", *list, name)
			     : plan_builder_text(builder, err, "%.64s", name);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

/* OCI 1.1: what can't be granted is a warning, not a failure, unless the site wants it otherwise. */
static int warn(const struct plan_builder *builder, const struct set *set, enum policy_rule rule, const char *names,
		struct error *err)
{
	struct report_line line = { .where = set->where, .asked = names, .applied = "left out", .why = set->why };

	return names ? plan_withheld_report(builder, rule, &line, err) : 0;
}

/* buildah, and `runc spec` once, ask for ambient capabilities that are not inheritable: the kernel knows none, nobody gets any. */
static int remark(const struct plan_builder *builder, const struct set *set, const char *names, struct error *err)
{
	const struct report_line line = { REPORT_NOTE, "capability-inert", set->where, names, "left out", set->why };

	return names ? report_add(builder->report, &line, err) : 0;
}

#define NAMES_IN_REPORT 64

static int build_set(const struct plan_builder *builder, struct set *set, struct error *err)
{
	const char *unknown = NULL, *withheld = NULL, *inert = NULL;
	size_t n_unknown = 0;
	uint64_t seen = 0;
	int rc = 0, number;

	for (size_t i = 0; rc >= 0 && i < set->n; i++) {
		number = names_capability(set->names[i]);
		if (number < 0 || number > builder->host->last_capability) {
			if (n_unknown++ < NAMES_IN_REPORT)
				rc = append(builder, &unknown, set->names[i], err);
			continue;
		}
		if (!(set->grantable >> number & 1) && !(seen >> number & 1))
			rc = append(builder, set->inert >> number & 1 ? &inert : &withheld, set->names[i], err);
		seen |= UINT64_C(1) << number;
	}
	*set->ret = seen & set->grantable;
	if (rc >= 0)
		rc = warn(builder, set, POLICY_CAPABILITY_WITHHELD, withheld, err);
	if (rc >= 0)
		rc = remark(builder, set, inert, err);
	set->why = "this kernel, or this version of the runtime, does not know it";
	return rc < 0 ? rc : warn(builder, set, POLICY_CAPABILITY_UNKNOWN, unknown, err);
}

/* A new or joined user namespace gives its members every capability, over that namespace alone (user_namespaces(7)). */
static uint64_t limit(const struct plan_builder *builder, uint64_t of_host)
{
	return plan_builder_namespace(builder, CLONE_NEWUSER) == PLAN_NAMESPACE_HOST ? of_host : UINT64_MAX;
}

int plan_capabilities_build(struct plan_builder *builder, struct error *err)
{
	static const char no_bound[] = "it is not in the runtime's own bounding set";
	static const char no_permission[] = "the runtime does not have it, so that it can't give it away";
	static const char not_permitted[] = "it is not in process.capabilities.permitted";
	static const char not_ambient[] = "an ambient capability has to be permitted and inheritable as well";
	const struct spec_capabilities *asked = builder->process->capabilities;
	struct plan_capabilities *plan = &builder->plan->process.capabilities;
	uint64_t bound = limit(builder, builder->host->capability_bounding);
	uint64_t own = limit(builder, builder->host->capabilities);
	int rc;

	/* Without the object the program has none at all. */
	if (!asked)
		return 0;
	rc = build_set(builder,
		       &(struct set){ "process.capabilities.bounding", asked->bounding, asked->n_bounding, bound,
				      &plan->bounding, no_bound, 0 },
		       err);
	if (rc >= 0)
		rc = build_set(builder,
			       &(struct set){ "process.capabilities.permitted", asked->permitted, asked->n_permitted,
					      own, &plan->permitted, no_permission, 0 },
			       err);
	if (rc >= 0)
		rc = build_set(builder,
			       &(struct set){ "process.capabilities.effective", asked->effective, asked->n_effective,
					      plan->permitted, &plan->effective, not_permitted, 0 },
			       err);
	if (rc >= 0)
		rc = build_set(builder,
			       &(struct set){ "process.capabilities.inheritable", asked->inheritable,
					      asked->n_inheritable, own & bound, &plan->inheritable, no_permission, 0 },
			       err);
	if (rc >= 0)
		rc = build_set(builder,
			       &(struct set){ "process.capabilities.ambient", asked->ambient, asked->n_ambient,
					      plan->permitted & plan->inheritable, &plan->ambient, not_ambient,
					      plan->permitted & ~plan->inheritable },
			       err);
	return rc;
}
