#include "parent/seccomp/seccomp_ranges.h"

#include <errno.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)
/* A tracer's way to skip a call; not a call that is too new (seccomp(2), "SECCOMP_RET_TRACE"). */
#define SKIPPED_CALL UINT32_MAX

bool seccomp_ranges_equal_verdicts(const struct seccomp_verdict *a, const struct seccomp_verdict *b)
{
	if (a->n_clauses != b->n_clauses || a->otherwise != b->otherwise)
		return false;
	for (size_t i = 0; i < a->n_clauses; i++)
		if (a->clauses[i].action != b->clauses[i].action ||
		    !seccomp_rules_equal_conditions(&a->clauses[i], &b->clauses[i]))
			return false;
	return true;
}

static void append(struct seccomp_section *section, uint32_t first, struct seccomp_verdict verdict)
{
	/* A number that follows at once on the last range's only one takes its place. */
	if (section->n > 0 && section->ranges[section->n - 1].first == first)
		section->n--;
	if (section->n > 0 && seccomp_ranges_equal_verdicts(&section->ranges[section->n - 1].verdict, &verdict))
		return;
	section->ranges[section->n++] = (struct seccomp_range){ first, verdict };
}

static void append_constant(struct seccomp_section *section, uint32_t first, uint32_t action)
{
	append(section, first, (struct seccomp_verdict){ .otherwise = action });
}

/* clauses: all those of one number. */
static struct seccomp_verdict decide(const struct seccomp_clause *clauses, size_t n, uint32_t default_action)
{
	if (clauses[0].n_conditions == 0)
		return (struct seccomp_verdict){ .otherwise = clauses[0].action };
	return (struct seccomp_verdict){ clauses, n, default_action };
}

/* A program that meets a kernel without a call falls back on an older one, if it is told ENOSYS; EPERM or a kill it takes
 * for the last word. So a profile that forbids by default says ENOSYS to what is newer than anything it names, as runc does.
 * LOG and TRACE are kinds of allowing. */
static bool answers_enosys(const struct seccomp_rules *rules)
{
	uint32_t action = rules->default_action & SECCOMP_RET_ACTION_FULL;

	return rules->any && action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_TRACE;
}

/* s390 passes numbers that don't fit its instruction through call 0, setup(2), and leaves 0 there when it doesn't know them. */
static bool has_multiplexed_setup(const struct seccomp_arch *arch)
{
	return arch->multiplexing == SECCOMP_MULTIPLEX_S390;
}

static void append_rules(struct seccomp_section *section, const struct seccomp_rules *rules)
{
	uint32_t default_action = rules->default_action;
	bool enosys = answers_enosys(rules);
	size_t end;

	append_constant(section, rules->arch->base, default_action);
	if (enosys && has_multiplexed_setup(rules->arch)) {
		append_constant(section, 0, ENOSYS_ACTION);
		append_constant(section, 1, default_action);
	}
	for (size_t i = 0; i < rules->n; i = end) {
		uint32_t number = rules->clauses[i].number;

		for (end = i + 1; end < rules->n && rules->clauses[end].number == number; end++)
			;
		append(section, number, decide(&rules->clauses[i], end - i, default_action));
		append_constant(section, number + 1, default_action);
	}
	if (enosys)
		append_constant(section, rules->highest + 1, ENOSYS_ACTION);
}

int seccomp_ranges_build(const struct seccomp_rules *rules, const struct seccomp_rules *x32, struct arena *arena,
			 struct seccomp_section *ret, struct error *err)
{
	struct seccomp_section section = { .audit = rules->arch->audit };
	size_t clauses = rules->n + (x32 ? x32->n : 0);

	/* A number makes two ranges at most; the rest are those that don't come from a clause. */
	section.ranges = arena_array_of(arena, 2 * clauses + 16, struct seccomp_range);
	if (!section.ranges)
		return error_memory(err);
	append_constant(&section, 0, rules->default_action);
	append_rules(&section, rules);
	if (x32)
		append_rules(&section, x32);
	else if (section.audit == AUDIT_ARCH_X86_64)
		append_constant(&section, SECCOMP_ARCH_X32_BIT, SECCOMP_RET_KILL_THREAD);
	append_constant(&section, SKIPPED_CALL, rules->default_action);
	*ret = section;
	return 0;
}
