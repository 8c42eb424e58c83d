/* The floor's rule about files of a cgroup that no number of the policy bounds, and that take from everybody else's what they give. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"

static const char to_itself[] = "it would take processors from everything else on the host";

/* admin-guide/cgroup-v2.rst. values: what is none of that, each with a space behind it. */
static const struct {
	const char *name, *values, *why;
} greedy[] = {
	{ "cpuset.cpus.partition", "member ", to_itself },
	{ "cpuset.cpus.exclusive", " ", to_itself },
	{ "io.latency", " ", "the kernel would slow down everybody else at that disk until it is met" },
	{ "io.prio.class", "no-change restrict-to-be idle none-to-idle ",
	  "its requests would go before all others' at the host's disks" },
};

static bool is_one_of(const char *values, const char *value)
{
	size_t length = strcspn(value, "\n");

	while (*values) {
		size_t one = strcspn(values, " ");

		if (one == length && strncmp(values, value, length) == 0)
			return true;
		values += one + 1;
	}
	return false;
}

/* NULL: nothing speaks against it. */
static const char *why_greedy(const struct plan_pair *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(greedy); i++) {
		if (strcmp(file->name, greedy[i].name) == 0 && !is_one_of(greedy[i].values, file->value))
			return greedy[i].why;
	}
	return NULL;
}

static int check(struct plan_builder *builder, const struct plan_pair *file, bool *ret_keep, struct error *err)
{
	struct report_line line = { .applied = "left out", .asked = file->value, .why = why_greedy(file) };
	bool adjust;
	int rc;

	*ret_keep = true;
	if (!line.why)
		return 0;
	line.where = plan_builder_text(builder, err, "linux.resources.unified[\"%s\"]", file->name);
	if (!line.where)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_RESOURCE_MAXIMUM, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

int plan_harden_unified(struct plan_builder *builder, struct error *err)
{
	struct plan_resources *resources = &builder->plan->cgroup.resources;

	return plan_harden_keep(builder, &resources->unified, &resources->n_unified, check, err);
}
