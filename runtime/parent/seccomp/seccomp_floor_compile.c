#include "parent/seccomp/seccomp_floor_compile.h"

#include <errno.h>

#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_ranges.h"
#include "parent/seccomp/seccomp_tree.h"

#define MEMORY_MAX ((size_t)4 * 1024 * 1024)

/* Leaves the rules out that need a capability which isn't there, and what comes after the first that always fits. */
static int build_verdict(const struct seccomp_floor_verdict *verdict, uint64_t capabilities, struct arena *arena,
			 struct seccomp_verdict *ret)
{
	struct seccomp_clause *clauses = arena_array_of(arena, verdict->n, struct seccomp_clause);
	size_t n = 0;

	if (!clauses)
		return -ENOMEM;
	for (size_t i = 0; i < verdict->n; i++) {
		const struct seccomp_floor_rule *rule = &verdict->rules[i];

		if (rule->needs & ~capabilities)
			continue;
		if (rule->n_conditions == 0) {
			*ret = (struct seccomp_verdict){ clauses, n, rule->action };
			return 0;
		}
		clauses[n++] = (struct seccomp_clause){ .action = rule->action,
							.n_conditions = rule->n_conditions,
							.conditions = rule->conditions };
	}
	return -EINVAL;
}

/* Neighbours that fare alike become one range. */
static int build_section(const struct seccomp_floor_section *section, const struct seccomp_verdict *verdicts,
			 struct arena *arena, struct seccomp_section *ret)
{
	struct seccomp_section built = { .audit = section->audit };

	built.ranges = arena_array_of(arena, section->n, struct seccomp_range);
	if (!built.ranges)
		return -ENOMEM;
	for (size_t i = 0; i < section->n; i++) {
		const struct seccomp_verdict *verdict = &verdicts[section->ranges[i].verdict];

		if (built.n == 0 || !seccomp_ranges_equal_verdicts(&built.ranges[built.n - 1].verdict, verdict))
			built.ranges[built.n++] = (struct seccomp_range){ section->ranges[i].first, *verdict };
	}
	*ret = built;
	return 0;
}

static int build_sections(const struct seccomp_floor_table *table, uint64_t capabilities, struct arena *arena,
			  struct seccomp_section *sections)
{
	struct seccomp_verdict *verdicts = arena_array_of(arena, table->n_verdicts, struct seccomp_verdict);
	int r = verdicts ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < table->n_verdicts; i++)
		r = build_verdict(&table->verdicts[i], capabilities, arena, &verdicts[i]);
	for (size_t i = 0; r == 0 && i < table->n_sections; i++)
		r = build_section(&table->sections[i], verdicts, arena, &sections[i]);
	return r;
}

int seccomp_floor_compile(const struct seccomp_floor_table *table, uint64_t capabilities, struct seccomp_program *ret,
			  struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	struct seccomp_section *sections = arena ? arena_array_of(arena, table->n_sections, struct seccomp_section)
						 : NULL;
	struct seccomp_code *code = arena ? seccomp_code_new(arena) : NULL;
	struct seccomp_program program = { 0 };
	int r;

	if (!sections || !code)
		return error_memory(err);
	r = build_sections(table, capabilities, arena, sections);
	if (r < 0)
		return error_set(err, ERROR_INTERNAL, -r, "build brig's own system call filter");
	r = seccomp_tree_write(code, sections, table->n_sections, arena, err);
	if (r < 0)
		return r;
	if (code->overflow)
		return error_set(err, ERROR_INTERNAL, E2BIG, "brig's own system call filter is too long");
	program.instructions = seccomp_code_steal(code);
	if (!program.instructions)
		return error_memory(err);
	program.n = code->n;
	*ret = program;
	return 0;
}
