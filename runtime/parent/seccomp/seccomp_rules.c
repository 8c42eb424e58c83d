#include "parent/seccomp/seccomp_rules.h"

#include <errno.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/log.h"
#include "parent/seccomp/seccomp_calls.h"

#define ARGUMENTS 6

struct operator_name {
	const char *name;
	enum seccomp_comparison op;
	bool negated;
};

static const struct operator_name operator_names[] = {
	{ "SCMP_CMP_EQ", SECCOMP_EQUAL, false },	 { "SCMP_CMP_NE", SECCOMP_EQUAL, true },
	{ "SCMP_CMP_GT", SECCOMP_GREATER, false },	 { "SCMP_CMP_LE", SECCOMP_GREATER, true },
	{ "SCMP_CMP_GE", SECCOMP_GREATER_EQUAL, false }, { "SCMP_CMP_LT", SECCOMP_GREATER_EQUAL, true },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_EQUAL, false },
};

static const struct operator_name *find_operator(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(operator_names); i++)
		if (strcmp(operator_names[i].name, name) == 0)
			return &operator_names[i];
	return NULL;
}

/* On an architecture with 32-bit arguments the upper half of a value says nothing, as for libseccomp: a profile may spell
 * -1 with 64 bits. */
static void make_canonical(struct seccomp_condition *condition)
{
	if (!condition->wide) {
		condition->mask &= UINT32_MAX;
		condition->value &= UINT32_MAX;
	}
	condition->value &= condition->mask;
}

static int parse_condition(const struct plan_seccomp_arg *arg, bool wide, struct seccomp_condition *ret, struct error *err)
{
	const struct operator_name *op = find_operator(arg->op);
	bool masked;

	if (!op)
		return error_invalid(err, "operator %s is none of SCMP_CMP_NE, LT, LE, EQ, GE, GT, MASKED_EQ",
				     arg->op ? arg->op : "(missing)");
	if (arg->index >= ARGUMENTS)
		return error_invalid(err, "argument index %u: system calls have arguments 0 to 5", arg->index);
	/* OCI: with MASKED_EQ, value is the mask and valueTwo what is to remain. */
	masked = strcmp(op->name, "SCMP_CMP_MASKED_EQ") == 0;
	*ret = (struct seccomp_condition){
		.op = op->op,
		.argument = (uint8_t)arg->index,
		.negated = op->negated,
		.wide = wide,
		.mask = masked ? arg->value : UINT64_MAX,
		.value = masked ? arg->value_two : arg->value,
	};
	make_canonical(ret);
	return 0;
}

/* The conditions of one rule, all of which have to hold, or, as runc does where two are about the same argument (which
 * libseccomp refuses in one rule), each of which is a rule of its own. */
struct parsed_rule {
	struct seccomp_condition *conditions;
	size_t n;
	bool alternatives;
};

static bool repeats_argument(const struct plan_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (rule->args[i].index < ARGUMENTS && seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << (rule->args[i].index % ARGUMENTS);
	}
	return false;
}

static int parse_rule(const struct plan_seccomp_rule *rule, bool wide, struct arena *arena, struct parsed_rule *ret,
		      struct error *err)
{
	struct parsed_rule parsed = { .n = rule->n_args, .alternatives = repeats_argument(rule) };

	parsed.conditions = arena_array_of(arena, rule->n_args, struct seccomp_condition);
	if (!parsed.conditions)
		return error_memory(err);
	for (size_t i = 0; i < rule->n_args; i++)
		if (parse_condition(&rule->args[i], wide, &parsed.conditions[i], err) < 0)
			return error_prefix(err, "args[%zu]", i);
	*ret = parsed;
	return 0;
}

static bool is_tautology(const struct seccomp_condition *condition)
{
	return condition->op == SECCOMP_EQUAL && condition->mask == 0 && !condition->negated;
}

/* A multiplexed call carries its selector as argument 0 and the others behind a pointer, where no filter can see them:
 * what a rule says of argument 0 gives way to the selector, as with libseccomp. */
static int add_clause(struct seccomp_rules *rules, const struct seccomp_clause *model, const struct seccomp_call *call,
		      struct arena *arena)
{
	struct seccomp_clause *clause = &rules->clauses[rules->n];
	struct seccomp_condition *conditions;
	uint32_t n = 0;

	conditions = arena_array_of(arena, model->n_conditions + 1, struct seccomp_condition);
	if (!conditions)
		return -ENOMEM;
	if (call->multiplexed)
		conditions[n++] = (struct seccomp_condition){
			.wide = rules->arch->wide,
			.mask = rules->arch->wide ? UINT64_MAX : UINT32_MAX,
			.value = call->selector,
		};
	for (uint32_t i = 0; i < model->n_conditions; i++) {
		const struct seccomp_condition *condition = &model->conditions[i];

		if (is_tautology(condition) || (call->multiplexed && condition->argument == 0))
			continue;
		conditions[n++] = *condition;
	}
	*clause = (struct seccomp_clause){ call->number, model->action, (uint32_t)rules->n, n, conditions };
	rules->n++;
	return 0;
}

static int add_call(struct seccomp_rules *rules, const struct parsed_rule *rule, uint32_t action,
		    const struct seccomp_call *call, struct arena *arena)
{
	struct seccomp_clause model = { .action = action,
					.n_conditions = (uint32_t)rule->n,
					.conditions = rule->conditions };

	if (!rule->alternatives)
		return add_clause(rules, &model, call, arena);
	model.n_conditions = 1;
	for (size_t i = 0; i < rule->n; i++, model.conditions++)
		if (add_clause(rules, &model, call, arena) < 0)
			return -ENOMEM;
	return 0;
}

static int add_name(struct seccomp_rules *rules, const struct parsed_rule *rule, const char *name, uint32_t action,
		    struct arena *arena)
{
	struct seccomp_call calls[SECCOMP_CALLS_MAX];
	bool known;
	size_t n = seccomp_calls_resolve(rules->arch, name, calls, &known);

	if (!known)
		log_debug("seccomp: no system call %s on any architecture that we know: ignored", name);
	for (size_t i = 0; i < n; i++) {
		if (calls[i].number > rules->highest)
			rules->highest = calls[i].number;
		rules->any = true;
		if (rule && add_call(rules, rule, action, &calls[i], arena) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_rule(struct seccomp_rules *rules, const struct plan_seccomp *plan, const struct plan_seccomp_rule *rule,
		    struct arena *arena, struct error *err)
{
	/* As runc: what does the same as the default adds nothing, but its names are known to the profile. */
	bool redundant = rule->action == plan->default_action;
	struct parsed_rule parsed;
	int r = parse_rule(rule, rules->arch->wide, arena, &parsed, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rule->n_names; i++)
		if (add_name(rules, redundant ? NULL : &parsed, rule->names[i], rule->action, arena) < 0)
			return error_memory(err);
	return 0;
}

static size_t count_clauses(const struct plan_seccomp *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_rules; i++)
		n += plan->rules[i].n_names * SECCOMP_CALLS_MAX *
		     (repeats_argument(&plan->rules[i]) ? plan->rules[i].n_args : 1);
	return n;
}

/* From the strictest on, in the order in which the kernel weighs the answers of several filters: as signed numbers. */
static int compare_actions(uint32_t a, uint32_t b)
{
	int32_t left = (int32_t)(a & SECCOMP_RET_ACTION_FULL), right = (int32_t)(b & SECCOMP_RET_ACTION_FULL);

	return (left > right) - (left < right);
}

/* Which rule decides where several are about one call: the first one without conditions, whatever the others say (so
 * libseccomp, where it replaces them or keeps them from being added). Of those with conditions the strictest that
 * matches: libseccomp's order there is an accident of its tree. */
static int compare_clauses(const void *a, const void *b)
{
	const struct seccomp_clause *left = a, *right = b;
	int r = (left->number > right->number) - (left->number < right->number);

	if (r == 0)
		r = (left->n_conditions > 0) - (right->n_conditions > 0);
	if (r == 0 && left->n_conditions > 0)
		r = compare_actions(left->action, right->action);
	if (r == 0)
		r = (left->order > right->order) - (left->order < right->order);
	return r;
}

int seccomp_rules_resolve(const struct plan_seccomp *plan, const struct seccomp_arch *arch, struct arena *arena,
			  struct seccomp_rules *ret, struct error *err)
{
	struct seccomp_rules rules = { .arch = arch, .default_action = plan->default_action };

	rules.clauses = arena_array_of(arena, count_clauses(plan), struct seccomp_clause);
	if (!rules.clauses)
		return error_memory(err);
	for (size_t i = 0; i < plan->n_rules; i++) {
		int r = add_rule(&rules, plan, &plan->rules[i], arena, err);

		if (r < 0)
			return error_prefix(err, "linux.seccomp.syscalls[%zu]", i);
	}
	qsort(rules.clauses, rules.n, sizeof(*rules.clauses), compare_clauses);
	*ret = rules;
	return 0;
}

bool seccomp_rules_equal_conditions(const struct seccomp_clause *a, const struct seccomp_clause *b)
{
	if (a->n_conditions != b->n_conditions)
		return false;
	for (uint32_t i = 0; i < a->n_conditions; i++) {
		const struct seccomp_condition *left = &a->conditions[i], *right = &b->conditions[i];

		if (left->op != right->op || left->argument != right->argument || left->negated != right->negated ||
		    left->wide != right->wide || left->mask != right->mask || left->value != right->value)
			return false;
	}
	return true;
}
