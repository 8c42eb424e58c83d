#include "parent/seccomp/seccomp_tree.h"

#include <errno.h>

#include <linux/seccomp.h>

#include "parent/seccomp/seccomp_match.h"

struct block {
	const struct seccomp_verdict *verdict;
	struct seccomp_target target;
};

struct tree {
	struct seccomp_code *code;
	struct block *blocks; /* conditions that are written already, each once */
	size_t n_blocks;
};

static struct seccomp_target write_leaf(struct tree *tree, const struct seccomp_verdict *verdict)
{
	struct seccomp_target target;

	if (verdict->n_clauses == 0)
		return seccomp_code_return(tree->code, verdict->otherwise);
	for (size_t i = 0; i < tree->n_blocks; i++)
		if (seccomp_ranges_equal_verdicts(tree->blocks[i].verdict, verdict))
			return tree->blocks[i].target;
	target = seccomp_match_write(tree->code, verdict);
	if (tree->n_blocks < SECCOMP_CODE_MAX)
		tree->blocks[tree->n_blocks++] = (struct block){ verdict, target };
	return target;
}

/* One range, or one with islands in it: single numbers that fare otherwise, each of which costs one comparison so instead
 * of two. */
struct group {
	const struct seccomp_range *ranges;
	size_t n; /* 1 + 2 * islands */
};

/* Compared one after the other: more of them would make the way longer than a tree's. */
#define ISLANDS_MAX 3

static bool is_island(const struct seccomp_range *ranges)
{
	return ranges[2].first - ranges[1].first == 1 &&
	       seccomp_ranges_equal_verdicts(&ranges[0].verdict, &ranges[2].verdict);
}

static size_t find_groups(const struct seccomp_section *section, struct group *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < section->n; i += groups[n++].n) {
		struct group *group = &groups[n];

		*group = (struct group){ &section->ranges[i], 1 };
		while (group->n < 1 + 2 * ISLANDS_MAX && i + group->n + 1 < section->n &&
		       is_island(&group->ranges[group->n - 1]))
			group->n += 2;
	}
	return n;
}

static struct seccomp_target write_group(struct tree *tree, const struct group *group)
{
	struct seccomp_target next = write_leaf(tree, &group->ranges[0].verdict);

	for (size_t i = 1; i < group->n; i += 2) {
		struct seccomp_target island = write_leaf(tree, &group->ranges[i].verdict);

		seccomp_code_branch(tree->code, BPF_JEQ, group->ranges[i].first, island, next);
		next = seccomp_code_here(tree->code);
	}
	return next;
}

static struct seccomp_target write_groups(struct tree *tree, const struct group *groups, size_t n)
{
	struct seccomp_target upper, lower;
	size_t half = n / 2;

	if (n == 1 || tree->code->overflow)
		return write_group(tree, &groups[0]);
	upper = write_groups(tree, groups + half, n - half);
	lower = write_groups(tree, groups, half);
	seccomp_code_branch(tree->code, BPF_JGE, groups[half].ranges[0].first, upper, lower);
	return seccomp_code_here(tree->code);
}

static int write_section(struct tree *tree, const struct seccomp_section *section, struct arena *arena,
			 struct seccomp_target *ret)
{
	struct group *groups = arena_array_of(arena, section->n, struct group);

	if (!groups)
		return -ENOMEM;
	seccomp_code_continue(tree->code, write_groups(tree, groups, find_groups(section, groups)));
	seccomp_code_load(tree->code, offsetof(struct seccomp_data, nr));
	*ret = seccomp_code_here(tree->code);
	return 0;
}

int seccomp_tree_write(struct seccomp_code *code, const struct seccomp_section *sections, size_t n, struct arena *arena,
		       struct error *err)
{
	struct seccomp_target *entries = arena_array_of(arena, n, struct seccomp_target);
	struct tree tree = { .code = code, .blocks = arena_array_of(arena, SECCOMP_CODE_MAX, struct block) };
	struct seccomp_target next;

	if (!entries || !tree.blocks)
		return error_memory(err);
	for (size_t i = n; i-- > 0;)
		if (write_section(&tree, &sections[i], arena, &entries[i]) < 0)
			return error_memory(err);
	next = seccomp_code_return(code, SECCOMP_RET_KILL_THREAD);
	for (size_t i = n; i-- > 0;) {
		seccomp_code_branch(code, BPF_JEQ, sections[i].audit, entries[i], next);
		next = seccomp_code_here(code);
	}
	seccomp_code_load(code, offsetof(struct seccomp_data, arch));
	return 0;
}
