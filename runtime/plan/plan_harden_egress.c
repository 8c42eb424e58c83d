/* The floor's rule about egress lists: the site's is the most that a container can have. */
#include <errno.h>
#include <string.h>

#include "plan/plan_egress.h"
#include "plan/plan_harden.h"

/* As a report shows it: the list itself may have a hundred entries. */
static const char *shown(const struct plan_builder *builder, const struct egress_value *value, struct error *err)
{
	const char *text = egress_value_format(value, builder->arena);

	return text ? plan_builder_text(builder, err, "%.200s%s", text, text[0] && strlen(text) > 200 ? "..." : "")
		    : (error_memory(err), NULL);
}

/* There is no annotation. To have the site's list is nothing that a workload has to decide about, whatever the level. */
static int take_the_sites(struct plan_builder *builder, const struct egress_value *site, struct egress_value *value,
			  bool *ret_holds, struct error *err)
{
	enum policy_level level = plan_harden_level(builder, POLICY_EGRESS_MAXIMUM);
	struct report_line line = { .level = level == POLICY_WARN ? REPORT_WARNING : REPORT_ADJUSTED,
				    .rule = policy_rule_name(POLICY_EGRESS_MAXIMUM),
				    .where = PLAN_EGRESS_WHERE,
				    .asked = "no list",
				    .applied = "no list",
				    .why = "the policy's \"egress\" is the most that a container may connect to" };

	if (level == POLICY_OFF)
		return 0;
	*ret_holds = level != POLICY_WARN;
	if (*ret_holds)
		line.applied = shown(builder, site, err);
	*value = *site;
	return line.applied ? report_add(builder->report, &line, err) : -ENOMEM;
}

int plan_harden_egress(struct plan_builder *builder, bool asked, struct egress_value *value, bool *ret_holds,
		       struct error *err)
{
	const struct egress_value *site = policy_egress(builder->request->policy);
	struct report_line line = { .where = PLAN_EGRESS_WHERE, .why = "no entry of the policy's \"egress\" covers that" };
	const struct endpoint *beyond = site ? egress_value_beyond(site, value) : NULL;
	struct egress_value both = { 0 };
	char text[ENDPOINT_TEXT_MAX];
	bool adjust;
	int rc;

	if (site && !asked)
		return take_the_sites(builder, site, value, ret_holds, err);
	if (!beyond)
		return 0;
	rc = egress_value_meet(site, value, builder->arena, &both, err);
	if (rc < 0)
		return error_prefix(err, "%s", PLAN_EGRESS_WHERE);
	line.asked = plan_builder_text(builder, err, "%s", endpoint_format(beyond, text));
	line.applied = shown(builder, &both, err);
	if (!line.asked || !line.applied)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_EGRESS_MAXIMUM, &line, &adjust, err);
	if (rc >= 0 && adjust)
		*value = both;
	return rc;
}
