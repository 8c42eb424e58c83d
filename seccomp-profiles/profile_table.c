/* A policy for one machine: which range of numbers gets which verdict. */
#include "seccomp-profiles/profile.h"

#include <errno.h>
#include <string.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#define SECTIONS 2
#define VERDICTS_MAX 256
#define RANGES_MAX 2048
/* What a tracer leaves where it has done a call itself; there is none of that number, so that allowing it does nothing. */
#define SKIPPED_CALL UINT32_MAX

struct table {
	const struct profile *profile;
	struct arena *arena;
	struct seccomp_floor_verdict *verdicts;
	size_t n_verdicts;
	struct seccomp_floor_range *ranges;
	size_t n_ranges;
	uint64_t gates;
};

static bool equal_verdicts(const struct seccomp_floor_verdict *a, const struct seccomp_floor_verdict *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		const struct seccomp_clause left = { .n_conditions = a->rules[i].n_conditions,
						     .conditions = a->rules[i].conditions };
		const struct seccomp_clause right = { .n_conditions = b->rules[i].n_conditions,
						      .conditions = b->rules[i].conditions };

		if (a->rules[i].needs != b->rules[i].needs || a->rules[i].action != b->rules[i].action ||
		    !seccomp_rules_equal_conditions(&left, &right))
			return false;
	}
	return a->n == b->n;
}

/* The index of a verdict like this one. */
static uint32_t find_verdict(struct table *table, const struct seccomp_floor_verdict *verdict)
{
	for (size_t i = 0; i < table->n_verdicts; i++)
		if (equal_verdicts(&table->verdicts[i], verdict))
			return (uint32_t)i;
	table->verdicts[table->n_verdicts] = *verdict;
	return (uint32_t)table->n_verdicts++;
}

static int add_verdict(struct table *table, const struct profile_clauses *clauses, uint32_t *ret)
{
	struct seccomp_floor_rule *rules = arena_array_of(table->arena, clauses->n, struct seccomp_floor_rule);
	struct seccomp_floor_verdict verdict = { rules, clauses->n };

	if (!rules || table->n_verdicts == VERDICTS_MAX)
		return -ENOMEM;
	for (size_t i = 0; i < clauses->n; i++) {
		const struct profile_clause *clause = &clauses->list[i];

		rules[i] = (struct seccomp_floor_rule){ clause->needs, clause->action, (uint32_t)clause->n_conditions,
							clause->conditions };
		table->gates |= clause->needs;
	}
	*ret = find_verdict(table, &verdict);
	return 0;
}

static int add_constant(struct table *table, uint32_t action, uint32_t *ret)
{
	struct profile_clause clause = { .action = action };

	return add_verdict(table, &(struct profile_clauses){ &clause, 1 }, ret);
}

static int append(struct table *table, uint32_t first, uint32_t verdict)
{
	/* A number that follows at once on the last range's only one takes its place. */
	if (table->n_ranges > 0 && table->ranges[table->n_ranges - 1].first == first)
		table->n_ranges--;
	if (table->n_ranges > 0 && table->ranges[table->n_ranges - 1].verdict == verdict)
		return 0;
	if (table->n_ranges == RANGES_MAX)
		return -ENOMEM;
	table->ranges[table->n_ranges++] = (struct seccomp_floor_range){ first, verdict };
	return 0;
}

/* What has no name is no call, or one newer than we are: ENOSYS, on which libc falls back. So are all of x32's, which are
 * those of x86_64 with a bit set: no distribution's kernel answers them otherwise. */
static int add_numbers(struct table *table, uint32_t audit)
{
	bool wide = seccomp_arch_find(audit)->wide;
	uint32_t unknown, skipped, verdict, number = 0;
	const char *name;
	int r = add_constant(table, SECCOMP_RET_ERRNO | ENOSYS, &unknown);

	if (r == 0)
		r = add_constant(table, SECCOMP_RET_ALLOW, &skipped);
	if (r == 0)
		r = append(table, 0, unknown);
	for (; r == 0 && (name = profile_calls_next(audit, table->arena, &number)); number++) {
		struct profile_clauses clauses;

		r = profile_clauses_of(table->profile, name, wide, table->arena, &clauses);
		if (r == 0)
			r = add_verdict(table, &clauses, &verdict);
		if (r == 0)
			r = append(table, number, verdict);
		if (r == 0)
			r = append(table, number + 1, unknown);
	}
	return r < 0 ? r : append(table, SKIPPED_CALL, skipped);
}

static int add_section(struct table *table, uint32_t audit, struct seccomp_floor_section *ret)
{
	int r;

	table->ranges = arena_array_of(table->arena, RANGES_MAX, struct seccomp_floor_range);
	table->n_ranges = 0;
	if (!table->ranges)
		return -ENOMEM;
	r = add_numbers(table, audit);
	*ret = (struct seccomp_floor_section){ audit, table->ranges, table->n_ranges };
	return r;
}

int profile_table(const struct profile *profile, uint32_t machine, struct arena *arena, struct seccomp_floor_table *ret,
		  struct error *err)
{
	uint32_t compat = machine == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_I386 : AUDIT_ARCH_ARM;
	struct seccomp_floor_section *sections = arena_array_of(arena, SECTIONS, struct seccomp_floor_section);
	struct table table = { .profile = profile, .arena = arena };

	table.verdicts = arena_array_of(arena, VERDICTS_MAX, struct seccomp_floor_verdict);
	if (!sections || !table.verdicts || add_section(&table, machine, &sections[0]) < 0 ||
	    add_section(&table, compat, &sections[1]) < 0)
		return error_memory(err);
	*ret = (struct seccomp_floor_table){ .verdicts = table.verdicts,
					     .n_verdicts = table.n_verdicts,
					     .sections = sections,
					     .n_sections = SECTIONS,
					     .gates = table.gates };
	return 0;
}
