/* The floor's rules about namespaces. They run before all others, with plan_namespaces.c: mounts, sysctls and the cgroup depend on
 * what is shared with the host. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_harden.h"

struct kind {
	uint64_t flag;
	const char *why; /* is it to be one of its own? */
};

static const struct kind kinds[] = {
	{ CLONE_NEWPID, "every process of the host could be seen, and be sent signals" },
	{ CLONE_NEWNET, "the host's network and its abstract sockets would be in reach" },
	{ CLONE_NEWIPC, "the host's shared memory and message queues would be in reach" },
	{ CLONE_NEWUTS, "the host's name could be changed" },
};

static int add_missing(struct plan_builder *builder, enum policy_rule rule, const struct kind *kind, struct error *err)
{
	struct report_line line = { .where = "linux.namespaces", .why = kind->why };
	const char *name = names_text(&names_namespaces, kind->flag);
	bool adjust;
	int rc;

	if (plan_builder_namespace(builder, kind->flag) != PLAN_NAMESPACE_HOST)
		return 0;
	line.asked = plan_builder_text(builder, err, "the host's %s namespace", name);
	line.applied = plan_builder_text(builder, err, "a new %s namespace", name);
	if (!line.asked || !line.applied)
		return -err->code;
	rc = plan_harden_find(builder, rule, &line, &adjust, err);
	if (rc >= 0 && adjust)
		builder->added |= kind->flag;
	return rc;
}

/* No caller asks for a time namespace, and what it hides is no more than how long the host is up: never a refusal, and a note where
 * the others are adjusted. */
static int add_time(struct plan_builder *builder, struct error *err)
{
	const struct report_line line = { .level = REPORT_NOTE,
					  .rule = policy_rule_name(POLICY_HOST_NAMESPACE),
					  .where = "linux.namespaces",
					  .asked = "no time namespace",
					  .applied = "a new one",
					  .why = "how long the host is up could be seen" };
	enum policy_level level = plan_harden_level(builder, POLICY_HOST_NAMESPACE);

	if ((level != POLICY_ENFORCE && level != POLICY_ADJUST) ||
	    plan_builder_namespace(builder, CLONE_NEWTIME) != PLAN_NAMESPACE_HOST)
		return 0;
	builder->added |= CLONE_NEWTIME;
	return report_add(builder->report, &line, err);
}

/* The file system of somebody else, without anything that the plan says about mounts. */
static int check_mount(struct plan_builder *builder, struct error *err)
{
	struct report_line line = { .where = "linux.namespaces",
				    .asked = "a mount namespace by its path",
				    .why = "no root file system and no mount of config.json would hold in it" };
	enum policy_level level = plan_harden_level(builder, POLICY_HOST_NAMESPACE);
	bool adjust;

	if (plan_builder_namespace(builder, CLONE_NEWNS) != PLAN_NAMESPACE_JOINED)
		return 0;
	if (level != POLICY_ADJUST)
		return plan_harden_find(builder, POLICY_HOST_NAMESPACE, &line, &adjust, err);
	line.rule = policy_rule_name(POLICY_HOST_NAMESPACE);
	return plan_harden_refuse(policy_name(builder->request->policy), &line, "leave the path out", err);
}

bool plan_harden_refuses_the_hosts(const struct plan_builder *builder)
{
	enum policy_level level = plan_harden_level(builder, POLICY_HOST_NAMESPACE);

	return level == POLICY_ENFORCE || level == POLICY_ADJUST;
}

int plan_harden_refuse_the_hosts(uint64_t kind, const char *policy, struct error *err)
{
	struct report_line line = { .rule = policy_rule_name(POLICY_HOST_NAMESPACE) };
	char asked[64];
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) - 1 && kinds[i].flag != kind)
		i++;
	snprintf(asked, sizeof(asked), "the host's %s namespace", names_text(&names_namespaces, kinds[i].flag));
	line.asked = asked;
	line.why = kinds[i].why;
	return plan_harden_refuse(policy, &line, policy_rule_remedy(POLICY_HOST_NAMESPACE), err);
}

int plan_harden_namespaces(struct plan_builder *builder, struct error *err)
{
	static const struct kind cgroup = { CLONE_NEWCGROUP, "the host's tree of cgroups could be seen" };
	int rc = check_mount(builder, err);

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(kinds); i++)
		rc = add_missing(builder, POLICY_HOST_NAMESPACE, &kinds[i], err);
	if (rc >= 0)
		rc = add_time(builder, err);
	return rc < 0 ? rc : add_missing(builder, POLICY_CGROUP_NAMESPACE, &cgroup, err);
}
