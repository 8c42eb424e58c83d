/* The rules of a plan for one architecture: numbers for names, conditions in a canonical form, in the order of their weight. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "parent/seccomp/seccomp_arch.h"
#include "plan/plan.h"

enum seccomp_comparison { SECCOMP_EQUAL, SECCOMP_GREATER, SECCOMP_GREATER_EQUAL };

/* Holds if (argument & mask) OP value, or with negated if not. */
struct seccomp_condition {
	enum seccomp_comparison op;
	uint8_t argument; /* 0..5 */
	bool negated;
	bool wide;	      /* all 64 bits, else the lower 32 */
	uint64_t mask, value; /* a mask other than all ones: with SECCOMP_EQUAL only */
};

/* One call matches if all of the conditions hold. */
struct seccomp_clause {
	uint32_t number; /* seccomp_data.nr */
	uint32_t action; /* SECCOMP_RET_* with its data */
	uint32_t order;	 /* place in the plan */
	uint32_t n_conditions;
	const struct seccomp_condition *conditions;
};

struct seccomp_rules {
	const struct seccomp_arch *arch;
	uint32_t default_action;
	struct seccomp_clause *clauses; /* sorted by number; those of one number in the order in which they are asked */
	size_t n;
	uint32_t highest; /* number that any rule names, also one that adds nothing */
	bool any;	  /* false: no rule names a call of this architecture */
};

/* Fills ret from plan; everything lives in arena. Errors: EINVAL (an argument's index or operator), ENOMEM. */
int seccomp_rules_resolve(const struct plan_seccomp *plan, const struct seccomp_arch *arch, struct arena *arena,
			  struct seccomp_rules *ret, struct error *err);
bool seccomp_rules_equal_conditions(const struct seccomp_clause *a, const struct seccomp_clause *b);
