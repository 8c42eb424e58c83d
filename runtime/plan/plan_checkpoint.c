#include "plan/plan_checkpoint.h"

#include <sched.h>
#include <stdio.h>

/* The others are about what a process has, its mounts and limits of its own included: all of that is in the images. These are held by what
 * is made anew, or by nothing that lasts. */
static bool holds_all_the_same(enum policy_rule rule)
{
	switch ((int)rule) {
	case POLICY_ANNOTATION:
	case POLICY_EGRESS_MAXIMUM:
	case POLICY_HOOK:
	case POLICY_RESOURCE_MAXIMUM:
	case POLICY_RESOURCE_MISSING:
		return true;
	default:
		return rule < POLICY_FLOOR_FIRST;
	}
}

static const char *rule_at_work(const struct policy *policy)
{
	for (enum policy_rule rule = 0; rule < POLICY_N_RULES; rule++) {
		enum policy_level level = policy_level(policy, rule);

		if ((level == POLICY_ENFORCE || level == POLICY_ADJUST) && !holds_all_the_same(rule))
			return policy_rule_name(rule);
	}
	return NULL;
}

static bool shares_namespaces(const struct plan_namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->n_join; i++) {
		if (namespaces->join[i].flag != CLONE_NEWNET)
			return true;
	}
	return false;
}

static bool is_mapped(const struct plan_rootfs *rootfs)
{
	bool mapped = rootfs->idmap;

	for (size_t i = 0; i < rootfs->n_mounts; i++)
		mapped |= rootfs->mounts[i].idmap;
	return mapped;
}

static bool has_early_hooks(const struct plan *plan)
{
	return plan->hooks[PLAN_HOOK_PRESTART].n || plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n ||
	       plan->hooks[PLAN_HOOK_CREATE_CONTAINER].n || plan->hooks[PLAN_HOOK_START_CONTAINER].n;
}

static const char *lost(const struct plan *plan)
{
	if (!plan->has_process)
		return "config.json has no process";
	if (plan->process.terminal)
		return "its process has a terminal (process.terminal), whose other end is not the container's";
	if (plan->seccomp.listener_path)
		return "its filter has a listener (linux.seccomp.listenerPath), which no image can hold";
	if (plan->landlock.refuses_tcp)
		return "it has no TCP (annotation brig.dev/tcp), which no image can hold";
	if (plan->rootfs.locked)
		return "it has a user namespace, and its mounts are locked by one that is not its own, which CRIU does not save";
	if (shares_namespaces(&plan->namespaces))
		return "it shares a namespace other than the network's (linux.namespaces[].path)";
	if (is_mapped(&plan->rootfs))
		return "its root file system or one of its mounts is id-mapped, which CRIU does not make anew";
	if (plan->n_net_devices)
		return "it has interfaces of the host (linux.netDevices), which no image can hold";
	if (has_early_hooks(plan))
		return "it has hooks that run before its program does, and one that is brought back has no such moment";
	return NULL;
}

bool plan_checkpoint_loses(const struct policy *policy, const struct plan *plan, char reason[static PLAN_LOST_MAX])
{
	const char *rule = rule_at_work(policy), *why = lost(plan);

	if (rule)
		snprintf(reason, PLAN_LOST_MAX,
			 "the policy %s has the rule %s, and what that holds a process with would come back as the images say; "
			 "only under --policy conformant",
			 policy->name, rule);
	else if (why)
		snprintf(reason, PLAN_LOST_MAX, "%s", why);
	return rule || why;
}
