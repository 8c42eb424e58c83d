/* What all of a policy says about one call, as a list of clauses that are asked one after the other: refusals with
 * conditions, then what is allowed with conditions, with capabilities, without either; last what is left out. */
#include "seccomp-profiles/profile.h"

#include <errno.h>
#include <string.h>

#include <linux/seccomp.h>

/* Values under a mask: those that differ in one bit only are one comparison with that bit masked off. */
struct cube {
	uint64_t mask, value;
};

struct cubes {
	struct cube list[PROFILE_VALUES_MAX];
	size_t n;
};

static bool merge_one(struct cubes *cubes)
{
	for (size_t i = 0; i < cubes->n; i++)
		for (size_t k = i + 1; k < cubes->n; k++) {
			uint64_t difference = cubes->list[i].value ^ cubes->list[k].value;

			if (cubes->list[i].mask != cubes->list[k].mask || (difference & (difference - 1)) != 0)
				continue;
			cubes->list[i].mask &= ~difference;
			cubes->list[i].value &= ~difference;
			cubes->list[k] = cubes->list[--cubes->n];
			return true;
		}
	return false;
}

static void make_cubes(const struct profile_condition *condition, bool wide, struct cubes *ret)
{
	uint64_t mask = wide ? condition->mask : condition->mask & UINT32_MAX;

	*ret = (struct cubes){ .n = condition->n_values };
	for (size_t i = 0; i < condition->n_values; i++)
		ret->list[i] = (struct cube){ mask, condition->values[i] & mask };
	while (merge_one(ret))
		;
}

struct builder {
	const struct profile *profile;
	const char *name;
	bool wide;
	struct profile_clauses *clauses;
};

static uint32_t action_of(const struct profile_rule *rule)
{
	switch (rule->kind) {
	case PROFILE_ALLOW:
		return SECCOMP_RET_ALLOW;
	case PROFILE_REFUSE:
		return SECCOMP_RET_ERRNO | rule->errnum;
	case PROFILE_ABSENT:
		break;
	}
	return SECCOMP_RET_ERRNO | ENOSYS;
}

/* Appends rule once for each choice of one value for each of its conditions. */
static void append(struct builder *builder, const struct profile_rule *rule)
{
	struct cubes cubes[PROFILE_CONDITIONS_MAX];
	size_t combinations = 1;

	for (size_t i = 0; i < rule->n_conditions; i++) {
		make_cubes(&rule->conditions[i], builder->wide, &cubes[i]);
		combinations *= cubes[i].n;
	}
	for (size_t choice = 0; choice < combinations; choice++) {
		struct profile_clause *clause = &builder->clauses->list[builder->clauses->n++];
		size_t rest = choice;

		*clause = (struct profile_clause){ .needs = rule->needs, .action = action_of(rule) };
		for (size_t i = 0; i < rule->n_conditions; rest /= cubes[i++].n) {
			const struct cube *cube = &cubes[i].list[rest % cubes[i].n];

			clause->conditions[clause->n_conditions++] = (struct seccomp_condition){
				.argument = (uint8_t)rule->conditions[i].argument,
				.wide = builder->wide,
				.mask = cube->mask,
				.value = cube->value,
			};
		}
	}
}

static bool is_about(const struct profile_rule *rule, const struct builder *builder)
{
	for (size_t i = 0; !(rule->narrow && builder->wide) && i < rule->n_names; i++)
		if (strcmp(rule->names[i], builder->name) == 0)
			return true;
	return false;
}

static void append_conditional(struct builder *builder, enum profile_kind kind)
{
	for (size_t i = 0; i < builder->profile->n_rules; i++) {
		const struct profile_rule *rule = &builder->profile->rules[i];

		if (rule->kind == kind && rule->n_conditions > 0 && is_about(rule, builder))
			append(builder, rule);
	}
}

/* The rule that holds for all arguments and without any capability: the outermost file's. NULL: none. */
static const struct profile_rule *find_plain(const struct builder *builder)
{
	const struct profile_rule *found = NULL;

	for (size_t i = 0; i < builder->profile->n_rules; i++) {
		const struct profile_rule *rule = &builder->profile->rules[i];

		if (rule->n_conditions == 0 && rule->needs == 0 && is_about(rule, builder) &&
		    (!found || rule->depth < found->depth))
			found = rule;
	}
	return found;
}

static void append_gated(struct builder *builder)
{
	for (size_t i = 0; i < builder->profile->n_rules; i++) {
		const struct profile_rule *rule = &builder->profile->rules[i];

		if (rule->n_conditions == 0 && rule->needs != 0 && is_about(rule, builder))
			append(builder, rule);
	}
}

static size_t count_most(const struct builder *builder)
{
	size_t n = 1;

	for (size_t i = 0; i < builder->profile->n_rules; i++) {
		const struct profile_rule *rule = &builder->profile->rules[i];
		size_t combinations = 1;

		for (size_t k = 0; k < rule->n_conditions; k++)
			combinations *= rule->conditions[k].n_values;
		if (is_about(rule, builder))
			n += combinations;
	}
	return n;
}

int profile_clauses_of(const struct profile *profile, const char *name, bool wide, struct arena *arena,
		       struct profile_clauses *ret)
{
	struct profile_clauses clauses = { .n = 0 };
	struct builder builder = { profile, name, wide, &clauses };
	static const struct profile_rule unlisted = { .kind = PROFILE_REFUSE, .errnum = EPERM };
	static const struct profile_rule unknown = { .kind = PROFILE_ABSENT };
	const struct profile_rule *plain = find_plain(&builder);

	clauses.list = arena_array_of(arena, count_most(&builder), struct profile_clause);
	if (!clauses.list)
		return -ENOMEM;
	append_conditional(&builder, PROFILE_REFUSE);
	if (!plain || plain->kind != PROFILE_ALLOW) {
		append_conditional(&builder, PROFILE_ALLOW);
		append_gated(&builder);
	}
	/* Conditions without a word on the rest mean that the rest is refused. */
	append(&builder, plain ? plain : clauses.n > 0 ? &unlisted : &unknown);
	*ret = clauses;
	return 0;
}
