#include "parent/seccomp/seccomp_match.h"

#include <linux/seccomp.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#define HIGH_HALF 4
#else
#define LOW_HALF 4
#define HIGH_HALF 0
#endif

struct exits {
	struct seccomp_target yes, no;
};

static uint32_t offset_of(const struct seccomp_condition *condition, uint32_t half)
{
	return (uint32_t)offsetof(struct seccomp_data, args) + condition->argument * (uint32_t)sizeof(uint64_t) + half;
}

static struct seccomp_target compare(struct seccomp_code *code, uint16_t operation, uint32_t value,
				     const struct exits *exits)
{
	seccomp_code_branch(code, operation, value, exits->yes, exits->no);
	return seccomp_code_here(code);
}

static struct seccomp_target equal_half(struct seccomp_code *code, uint32_t offset, uint32_t mask, uint32_t value,
					const struct exits *exits)
{
	if (mask == 0)
		return exits->yes;
	compare(code, BPF_JEQ, value, exits);
	if (mask != UINT32_MAX)
		seccomp_code_and(code, mask);
	seccomp_code_load(code, offset);
	return seccomp_code_here(code);
}

static struct seccomp_target write_equal(struct seccomp_code *code, const struct seccomp_condition *condition,
					 const struct exits *exits)
{
	struct exits high = *exits;

	high.yes = equal_half(code, offset_of(condition, LOW_HALF), (uint32_t)condition->mask,
			      (uint32_t)condition->value, exits);
	return equal_half(code, offset_of(condition, HIGH_HALF), (uint32_t)(condition->mask >> 32),
			  (uint32_t)(condition->value >> 32), &high);
}

/* operation: BPF_JGT or BPF_JGE. The lower half decides only where the upper halves are equal. */
static struct seccomp_target write_greater(struct seccomp_code *code, const struct seccomp_condition *condition,
					   uint16_t operation, const struct exits *exits)
{
	uint32_t upper = (uint32_t)(condition->value >> 32);
	struct exits same = *exits, greater = *exits;

	compare(code, operation, (uint32_t)condition->value, exits);
	seccomp_code_load(code, offset_of(condition, LOW_HALF));
	same.yes = seccomp_code_here(code);
	if (!condition->wide)
		return same.yes;
	greater.no = compare(code, BPF_JEQ, upper, &same);
	compare(code, BPF_JGT, upper, &greater);
	seccomp_code_load(code, offset_of(condition, HIGH_HALF));
	return seccomp_code_here(code);
}

static struct seccomp_target write_condition(struct seccomp_code *code, const struct seccomp_condition *condition,
					     struct exits exits)
{
	if (condition->negated)
		exits = (struct exits){ .yes = exits.no, .no = exits.yes };
	switch (condition->op) {
	case SECCOMP_EQUAL:
		return write_equal(code, condition, &exits);
	case SECCOMP_GREATER:
		return write_greater(code, condition, BPF_JGT, &exits);
	case SECCOMP_GREATER_EQUAL:
		return write_greater(code, condition, BPF_JGE, &exits);
	}
	return exits.no;
}

struct seccomp_target seccomp_match_write(struct seccomp_code *code, const struct seccomp_verdict *verdict)
{
	struct seccomp_target next = seccomp_code_return(code, verdict->otherwise);

	/* From the last clause to the first, and in each from the last condition to the first: backwards, like the code. */
	for (size_t i = verdict->n_clauses; i-- > 0 && !code->overflow;) {
		const struct seccomp_clause *clause = &verdict->clauses[i];
		struct exits exits = { .yes = seccomp_code_return(code, clause->action), .no = next };

		for (uint32_t k = clause->n_conditions; k-- > 0;)
			exits.yes = write_condition(code, &clause->conditions[k], exits);
		next = exits.yes;
	}
	return next;
}
