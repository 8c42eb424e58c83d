#include "plan/plan_harden.h"

#include <errno.h>

#include "base/cleanup.h"

struct rule {
	int (*apply)(struct plan_builder *builder, struct error *err);
	bool for_exec; /* it is about a process, and holds for one more in a container that runs, too */
};

static const struct rule rules[] = {
	{ plan_harden_new_privileges, true },
};

enum policy_level plan_harden_level(const struct plan_builder *builder, enum policy_rule rule)
{
	return policy_level(builder->request->policy, rule);
}

static int refuse(const struct plan_builder *builder, enum policy_rule rule, const struct report_line *line,
		  struct error *err)
{
	return error_set(err, ERROR_REFUSED, EPERM,
			 "%s: asked for %.200s, but %s; rule %s of policy %.192s refuses that: %s", line->where,
			 line->asked, line->why, line->rule, policy_name(builder->request->policy),
			 policy_rule_remedy(rule));
}

int plan_harden_find(struct plan_builder *builder, enum policy_rule rule, struct report_line *line, bool *ret_adjust,
		     struct error *err)
{
	*ret_adjust = false;
	line->rule = policy_rule_name(rule);
	switch (plan_harden_level(builder, rule)) {
	case POLICY_ENFORCE:
		return refuse(builder, rule, line, err);
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

int plan_harden(struct plan_builder *builder, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(rules); i++) {
		if (!builder->exec || rules[i].for_exec)
			rc = rules[i].apply(builder, err);
	}
	return rc;
}
