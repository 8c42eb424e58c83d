/* The policy's rules about what the host withholds: gone without, and reported or left unsaid; or refused. */
#include <errno.h>

#include "plan/plan_builder.h"

static int refuse(const struct plan_builder *builder, enum policy_rule rule, const struct report_line *line,
		  struct error *err)
{
	const struct policy *policy = builder->request->policy;

	return error_set(err, ERROR_REFUSED, EPERM,
			 "%s: asked for %.200s, but %s; rule %s of policy %.192s makes that an error: %s, or have the "
			 "rule set to \"warn\"",
			 line->where, line->asked, line->why, line->rule, policy_name(policy), policy_rule_remedy(rule));
}

int plan_withheld_report(const struct plan_builder *builder, enum policy_rule rule, struct report_line *line,
			 struct error *err)
{
	line->rule = policy_rule_name(rule);
	switch (builder->levels[rule]) {
	case POLICY_ENFORCE:
		if (!builder->request->collects)
			return refuse(builder, rule, line, err);
		line->level = REPORT_REFUSED;
		line->applied = policy_rule_remedy(rule);
		return report_add(builder->report, line, err);
	case POLICY_LEVEL_OF_SET:
	case POLICY_WARN:
		line->level = REPORT_WARNING;
		return report_add(builder->report, line, err);
	case POLICY_ADJUST:
		line->level = REPORT_ADJUSTED;
		return report_add(builder->report, line, err);
	case POLICY_OFF:
		break;
	}
	return 0;
}
