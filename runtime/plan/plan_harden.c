#include "plan/plan_harden.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

struct rule {
	int (*apply)(struct plan_builder *builder, struct error *err);
	bool for_exec;	 /* it is about a process, and holds for one more in a container that runs, too */
	bool for_update; /* it is about the cgroup, and holds for new limits, too */
};

static const struct rule rules[] = {
	{ plan_harden_new_privileges, true, false },
	{ plan_harden_session_keyring, true, false },
	{ plan_harden_core_dump, true, false },
	{ plan_harden_oom_score, true, false },
	{ plan_harden_ambient_capability, true, false },
	{ plan_harden_capability, true, false },
	{ plan_harden_priority, true, false },
	/* After the capabilities: some calls are allowed with one only. */
	{ plan_harden_seccomp, true, false },
	{ plan_harden_listener, true, false },
	{ plan_harden_apparmor, true, false },
	{ plan_harden_sysctl, false, false },
	{ plan_harden_hook, false, false },
	{ plan_harden_annotation, false, false },
	{ plan_harden_device, false, true },
	{ plan_harden_net_device, false, false },
	{ plan_harden_resource_missing, false, true },
	{ plan_harden_resource_maximum, false, true },
	{ plan_harden_unified, false, true },
	{ plan_harden_mount_flags, false, false },
	{ plan_harden_mount_propagation, false, false },
	/* It may leave mounts out, and those before it find a mount's source by its place in the list. */
	{ plan_harden_mount_source, false, false },
	/* Of what has become of the mounts. */
	{ plan_harden_masked_path, false, false },
	{ plan_harden_landlock, true, false },
};

enum policy_level plan_harden_level(const struct plan_builder *builder, enum policy_rule rule)
{
	return builder->levels[rule];
}

int plan_harden_refuse(const char *policy, const struct report_line *line, const char *remedy, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EPERM,
			 "%s%sasked for %.200s, but %s; rule %s of policy %.192s refuses that%s%s", line->where ?: "",
			 line->where ? ": " : "", line->asked, line->why, line->rule, policy, remedy ? ": " : "",
			 remedy ?: "");
}

int plan_harden_find(struct plan_builder *builder, enum policy_rule rule, struct report_line *line, bool *ret_adjust,
		     struct error *err)
{
	*ret_adjust = false;
	line->rule = policy_rule_name(rule);
	switch (plan_harden_level(builder, rule)) {
	case POLICY_ENFORCE:
		if (!builder->request->collects)
			return plan_harden_refuse(policy_name(builder->request->policy), line, policy_rule_remedy(rule),
						  err);
		*ret_adjust = true;
		line->level = REPORT_REFUSED;
		line->applied = policy_rule_remedy(rule);
		return report_add(builder->report, line, err);
	case POLICY_LEVEL_OF_SET:
	case POLICY_ADJUST:
		*ret_adjust = true;
		line->level = REPORT_ADJUSTED;
		return report_add(builder->report, line, err);
	case POLICY_WARN:
		line->level = REPORT_WARNING;
		line->applied = line->asked;
		return report_add(builder->report, line, err);
	case POLICY_OFF:
		break;
	}
	return 0;
}

static bool matches(const char *pattern, const char *name)
{
	size_t length = strcspn(pattern, "*");

	return pattern[length] ? strncmp(name, pattern, length) == 0 : strcmp(name, pattern) == 0;
}

bool plan_harden_lists(const struct policy_strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (matches(list->list[i], name))
			return true;
	}
	return false;
}

int plan_harden_keep(struct plan_builder *builder, const struct plan_pair **list, size_t *n,
		     int (*check)(struct plan_builder *builder, const struct plan_pair *pair, bool *ret_keep,
				  struct error *err),
		     struct error *err)
{
	struct plan_pair *kept = arena_array_of(builder->arena, *n, struct plan_pair);
	int rc = kept ? 0 : error_memory(err);
	size_t n_kept = 0;
	bool keep;

	for (size_t i = 0; rc >= 0 && i < *n; i++) {
		rc = check(builder, &(*list)[i], &keep, err);
		if (rc >= 0 && keep)
			kept[n_kept++] = (*list)[i];
	}
	if (rc < 0)
		return rc;
	*list = kept;
	*n = n_kept;
	return 0;
}

static bool is_off(const struct plan_builder *builder)
{
	for (size_t rule = POLICY_FLOOR_FIRST; rule < POLICY_N_RULES; rule++) {
		if (builder->levels[rule] != POLICY_OFF)
			return false;
	}
	return true;
}

int plan_harden(struct plan_builder *builder, struct error *err)
{
	int rc = 0;

	/* An exec has the lock of its container, whatever the policy says by now. */
	if (is_off(builder) && !builder->request->landlock)
		return 0;
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(rules); i++) {
		if ((!builder->exec || rules[i].for_exec) && (!builder->update || rules[i].for_update))
			rc = rules[i].apply(builder, err);
	}
	return rc;
}
