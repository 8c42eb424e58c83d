/* The floor's rules about limits: a container has some of processes, memory and processors, and none above the site's. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "plan/plan_harden.h"

#define UNLIMITED UINT64_MAX
#define PERIOD_DEFAULT UINT64_C(100000) /* microseconds */
#define QUOTA_LEAST 1000		/* microseconds: the kernel takes no less */

struct resource {
	const char *where;
	const char *unified; /* the same limit by its file's name */
	uint32_t bits;	     /* PLAN_*: an update that has none of them leaves the limit as it is */
	size_t in_policy;    /* offsetof(struct policy_resources) */
	size_t in_parents;   /* offsetof(struct host_limits) */
	uint64_t (*get)(const struct plan_resources *resources);
	void (*set)(struct plan_resources *resources, uint64_t value);
	uint64_t (*parse)(const char *text);
	const char *unit;
};

static uint64_t get_pids(const struct plan_resources *resources)
{
	return resources->set & PLAN_PIDS && resources->pids > 0 ? (uint64_t)resources->pids : UNLIMITED;
}

static void set_pids(struct plan_resources *resources, uint64_t value)
{
	resources->set |= PLAN_PIDS;
	resources->pids = (int64_t)value;
}

static uint64_t get_memory(const struct plan_resources *resources)
{
	return resources->set & PLAN_MEMORY_LIMIT && resources->memory_limit > 0 ? (uint64_t)resources->memory_limit
										 : UNLIMITED;
}

static void set_memory(struct plan_resources *resources, uint64_t value)
{
	resources->set |= PLAN_MEMORY_LIMIT;
	resources->memory_limit = (int64_t)value;
	/* It counts memory and swap together: what was asked for beyond the memory was meant for another limit. */
	if (resources->set & PLAN_MEMORY_SWAP)
		resources->memory_swap = (int64_t)value;
}

static uint64_t thousandths(uint64_t quota, uint64_t period)
{
	uint64_t product;

	if (period == 0 || __builtin_mul_overflow(quota, UINT64_C(1000), &product))
		return UNLIMITED;
	return product / period + (product % period != 0);
}

static uint64_t period_of(const struct plan_resources *resources)
{
	return resources->set & PLAN_CPU_PERIOD && resources->cpu_period ? resources->cpu_period : PERIOD_DEFAULT;
}

static uint64_t get_cpu(const struct plan_resources *resources)
{
	if (!(resources->set & PLAN_CPU_QUOTA) || resources->cpu_quota <= 0)
		return UNLIMITED;
	return thousandths((uint64_t)resources->cpu_quota, period_of(resources));
}

static void set_cpu(struct plan_resources *resources, uint64_t value)
{
	uint64_t period = period_of(resources);

	if (period > PERIOD_DEFAULT * 10 || value * period / 1000 < QUOTA_LEAST)
		period = PERIOD_DEFAULT;
	resources->set |= PLAN_CPU_QUOTA | PLAN_CPU_PERIOD;
	resources->cpu_period = period;
	resources->cpu_quota = (int64_t)(value * period / 1000);
	if (resources->set & PLAN_CPU_BURST && resources->cpu_burst > (uint64_t)resources->cpu_quota)
		resources->cpu_burst = (uint64_t)resources->cpu_quota;
}

/* "max", and what the kernel would not take, is no limit. */
static uint64_t parse_number(const char *text)
{
	uint64_t value;

	return quantity_digits(&text, &value) < 0 || (*text && *text != '\n') ? UNLIMITED : value;
}

/* "max", "150000 100000" */
static uint64_t parse_cpu(const char *text)
{
	uint64_t quota, period = PERIOD_DEFAULT;

	if (quantity_digits(&text, &quota) < 0)
		return UNLIMITED;
	text += strspn(text, " ");
	if (*text && *text != '\n' && quantity_digits(&text, &period) < 0)
		return UNLIMITED;
	return thousandths(quota, period);
}

#define IN(kind) offsetof(struct policy_resources, kind), offsetof(struct host_limits, kind)

static const struct resource kinds[] = {
	{ "linux.resources.pids.limit", "pids.max", PLAN_PIDS, IN(pids), get_pids, set_pids, parse_number, "processes" },
	{ "linux.resources.memory.limit", "memory.max", PLAN_MEMORY_LIMIT, IN(memory), get_memory, set_memory,
	  parse_number, "bytes" },
	{ "linux.resources.cpu.quota", "cpu.max", PLAN_CPU_QUOTA | PLAN_CPU_PERIOD, IN(cpu), get_cpu, set_cpu,
	  parse_cpu, "thousandths of a processor" },
};

static const char *find_unified(const struct plan_resources *resources, const char *name)
{
	for (size_t i = 0; i < resources->n_unified; i++) {
		if (strcmp(resources->unified[i].name, name) == 0)
			return resources->unified[i].value;
	}
	return NULL;
}

/* Where a limit is given twice the looser one is what has to be within bounds. */
static uint64_t effective(const struct resource *kind, const struct plan_resources *resources)
{
	const char *text = find_unified(resources, kind->unified);
	uint64_t value = kind->get(resources), other;

	if (!text)
		return value;
	other = kind->parse(text);
	return resources->set & kind->bits && value > other ? value : other;
}

static int set(struct plan_builder *builder, const struct resource *kind, uint64_t value, struct error *err)
{
	struct plan_resources *resources = &builder->plan->cgroup.resources;
	struct plan_pair *kept = arena_array_of(builder->arena, resources->n_unified, struct plan_pair);
	size_t n = 0;

	if (!kept)
		return error_memory(err);
	for (size_t i = 0; i < resources->n_unified; i++) {
		if (strcmp(resources->unified[i].name, kind->unified) != 0)
			kept[n++] = resources->unified[i];
	}
	resources->unified = kept;
	resources->n_unified = n;
	kind->set(resources, value);
	return 0;
}

static int find(struct plan_builder *builder, const struct resource *kind, enum policy_rule rule, uint64_t value,
		struct error *err)
{
	uint64_t asked = effective(kind, &builder->plan->cgroup.resources);
	struct report_line line = { .where = kind->where, .asked = "no limit" };
	bool adjust;
	int rc;

	line.why = rule == POLICY_RESOURCE_MISSING ? "no cgroup above the container's has one either"
						   : "the site's maximum is lower";
	if (asked != UNLIMITED)
		line.asked = plan_builder_text(builder, err, "%" PRIu64 " %s", asked, kind->unit);
	line.applied = plan_builder_text(builder, err, "%" PRIu64 " %s", value, kind->unit);
	if (!line.asked || !line.applied)
		return -ENOMEM;
	rc = plan_harden_find(builder, rule, &line, &adjust, err);
	return rc >= 0 && adjust ? set(builder, kind, value, err) : rc;
}

static struct policy_resource site_of(const struct plan_builder *builder, const struct resource *kind)
{
	struct policy_resources site = policy_resources(builder->request->policy);
	struct policy_resource resource;

	memcpy(&resource, (const char *)&site + kind->in_policy, sizeof(resource));
	return resource;
}

static uint64_t parents_of(const struct plan_builder *builder, const struct resource *kind)
{
	uint64_t value;

	memcpy(&value, (const char *)&builder->request->parents + kind->in_parents, sizeof(value));
	return value;
}

/* An update changes what it names, and nothing else. */
static bool is_named(const struct plan_builder *builder, const struct resource *kind)
{
	const struct plan_resources *resources = &builder->plan->cgroup.resources;

	return !builder->update || resources->set & kind->bits || find_unified(resources, kind->unified);
}

/* Does the site have a value for that rule, and is it to be heeded? */
static bool is_wanted(const struct plan_builder *builder, enum policy_rule rule)
{
	bool wanted = false;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct policy_resource site = site_of(builder, &kinds[i]);

		wanted |= (rule == POLICY_RESOURCE_MISSING ? site.missing : site.most) != 0;
	}
	return wanted && plan_harden_level(builder, rule) != POLICY_OFF;
}

/* Nobody makes a group, so that nobody can limit it: as with limits that config.json has (plan_cgroup.c). Where a limit is what the policy
 * insists on, having no group is no way around it. */
static int report_no_cgroup(struct plan_builder *builder, enum policy_rule rule, struct error *err)
{
	struct report_line line = { .where = "linux.resources",
				    .asked = "no limits, and the policy for some",
				    .applied = "none",
				    .why = plan_cgroup_why_none(builder) };
	bool adjust;

	if (!is_wanted(builder, rule))
		return 0;
	if (plan_harden_level(builder, rule) == POLICY_ENFORCE)
		return plan_harden_find(builder, rule, &line, &adjust, err);
	/* Once is enough. */
	if (rule == POLICY_RESOURCE_MAXIMUM && is_wanted(builder, POLICY_RESOURCE_MISSING))
		return 0;
	return plan_withheld_report(builder, POLICY_CGROUP_DISABLED, &line, err);
}

int plan_harden_resource_missing(struct plan_builder *builder, struct error *err)
{
	const struct plan_resources *resources = &builder->plan->cgroup.resources;
	int rc = 0;

	if (builder->plan->cgroup.manager == PLAN_CGROUP_DISABLED)
		return report_no_cgroup(builder, POLICY_RESOURCE_MISSING, err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(kinds); i++) {
		uint64_t missing = site_of(builder, &kinds[i]).missing;

		if (missing != 0 && is_named(builder, &kinds[i]) && effective(&kinds[i], resources) == UNLIMITED &&
		    parents_of(builder, &kinds[i]) == 0)
			rc = find(builder, &kinds[i], POLICY_RESOURCE_MISSING, missing, err);
	}
	return rc;
}

int plan_harden_resource_maximum(struct plan_builder *builder, struct error *err)
{
	struct plan_resources *resources = &builder->plan->cgroup.resources;
	int rc = 0;

	if (builder->plan->cgroup.manager == PLAN_CGROUP_DISABLED)
		return report_no_cgroup(builder, POLICY_RESOURCE_MAXIMUM, err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(kinds); i++) {
		uint64_t most = site_of(builder, &kinds[i]).most, above = parents_of(builder, &kinds[i]);

		if (most == 0 || !is_named(builder, &kinds[i]))
			continue;
		if (effective(&kinds[i], resources) > most && (above == 0 || above > most))
			rc = find(builder, &kinds[i], POLICY_RESOURCE_MAXIMUM, most, err);
		/* A new quota without a period would be one of the period that the group happens to have. */
		else if (builder->update && kinds[i].get == get_cpu && resources->set & PLAN_CPU_QUOTA &&
			 plan_harden_level(builder, POLICY_RESOURCE_MAXIMUM) != POLICY_OFF) {
			resources->cpu_period = period_of(resources);
			resources->set |= PLAN_CPU_PERIOD;
		}
	}
	return rc;
}
