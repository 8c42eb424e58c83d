#include "plan/plan_levels.h"

#include <errno.h>
#include <string.h>

/* POLICY_N_RULES: no rule has that name. */
static enum policy_rule find_rule(const char *annotation)
{
	size_t prefix = strlen(PLAN_LEVELS_PREFIX), rule = 0;

	if (strncmp(annotation, PLAN_LEVELS_PREFIX, prefix) != 0)
		return POLICY_N_RULES;
	while (rule < POLICY_N_RULES && strcmp(annotation + prefix, policy_rule_name((enum policy_rule)rule)) != 0)
		rule++;
	return (enum policy_rule)rule;
}

static bool is_delegated(const struct plan_builder *builder, enum policy_rule rule, const char *annotation)
{
	const char *name = policy_delegated(builder->request->policy, rule);

	return name && strcmp(name, annotation) == 0;
}

bool plan_levels_knows(const struct plan_builder *builder, const char *annotation)
{
	if (find_rule(annotation) != POLICY_N_RULES)
		return true;
	for (size_t rule = 0; rule < POLICY_N_RULES; rule++) {
		if (is_delegated(builder, (enum policy_rule)rule, annotation))
			return true;
	}
	return false;
}

static int read_level(const struct json_pair *annotation, enum policy_level *ret, struct error *err)
{
	if (policy_level_find(annotation->value, ret))
		return 0;
	return error_invalid(err, "annotations[\"%.200s\"]: \"%.64s\" is no level; allowed: enforce, adjust, warn, off",
			     annotation->name, annotation->value);
}

/* Whoever wrote it has to learn that it does not hold. */
static int report_loosening(struct plan_builder *builder, enum policy_rule rule, const struct json_pair *annotation,
			    struct error *err)
{
	struct report_line line = { .level = REPORT_WARNING,
				    .rule = policy_rule_name(rule),
				    .asked = plan_builder_text(builder, err, "%.64s", annotation->value),
				    .applied = policy_level_name(builder->levels[rule]),
				    .why = "an annotation can tighten a rule; to loosen it the policy has to delegate it" };

	line.where = plan_builder_text(builder, err, "annotations[\"%.200s\"]", annotation->name);
	return line.where && line.asked ? report_add(builder->report, &line, err) : -ENOMEM;
}

static int delegate(struct plan_builder *builder, const struct json_pair *annotation, struct error *err)
{
	int rc = 0;

	for (size_t rule = 0; rc >= 0 && rule < POLICY_N_RULES; rule++) {
		if (is_delegated(builder, (enum policy_rule)rule, annotation->name))
			rc = read_level(annotation, &builder->levels[rule], err);
	}
	return rc;
}

static int tighten(struct plan_builder *builder, const struct json_pair *annotation, struct error *err)
{
	enum policy_rule rule = find_rule(annotation->name);
	enum policy_level asked = POLICY_OFF;
	int rc, difference;

	if (rule == POLICY_N_RULES || is_delegated(builder, rule, annotation->name))
		return 0;
	rc = read_level(annotation, &asked, err);
	if (rc < 0)
		return rc;
	difference = policy_level_strictness(rule, asked) - policy_level_strictness(rule, builder->levels[rule]);
	if (difference < 0)
		return report_loosening(builder, rule, annotation, err);
	builder->levels[rule] = asked;
	return 0;
}

int plan_levels_build(struct plan_builder *builder, struct error *err)
{
	const struct spec *spec = builder->spec;
	int rc = 0;

	for (size_t rule = 0; rule < POLICY_N_RULES; rule++)
		builder->levels[rule] = builder->request->decided
						? POLICY_OFF
						: policy_level(builder->request->policy, (enum policy_rule)rule);
	if (builder->request->decided)
		return 0;
	/* Whichever comes first in the document, what tightens has the last word. */
	for (size_t i = 0; rc >= 0 && i < spec->n_annotations; i++)
		rc = delegate(builder, &spec->annotations[i], err);
	for (size_t i = 0; rc >= 0 && i < spec->n_annotations; i++)
		rc = tighten(builder, &spec->annotations[i], err);
	return rc;
}
