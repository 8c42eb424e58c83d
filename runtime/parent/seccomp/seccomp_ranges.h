/* The filter before it is code: for each architecture as the kernel names it, what happens to which range of numbers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "parent/seccomp/seccomp_rules.h"

/* The action of the first clause that matches, else otherwise. */
struct seccomp_verdict {
	const struct seccomp_clause *clauses;
	size_t n_clauses;
	uint32_t otherwise;
};

/* Goes on to where the next one begins; the last one to the end of the numbers. */
struct seccomp_range {
	uint32_t first;
	struct seccomp_verdict verdict;
};

struct seccomp_section {
	uint32_t audit;		      /* seccomp_data.arch */
	struct seccomp_range *ranges; /* the first begins with 0, neighbours differ */
	size_t n;
};

/* The same clauses in the same order, and the same answer where none matches: two ranges of which this is true are one. */
bool seccomp_ranges_equal_verdicts(const struct seccomp_verdict *a, const struct seccomp_verdict *b);

/* The section for rules; x32: those of x32 where rules are those of x86_64 (both have one number of architecture), or
 * NULL. Errors: ENOMEM. */
int seccomp_ranges_build(const struct seccomp_rules *rules, const struct seccomp_rules *x32, struct arena *arena,
			 struct seccomp_section *ret, struct error *err);
