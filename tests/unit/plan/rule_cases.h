/* For each rule of the floor documents that are below it in one thing: test_plan_harden.c tries each at each level. */
#pragma once

#include "plan_fixture.h"

/* A document below the floor in one thing, and how to see whether its plan still is. */
struct rule_case {
	enum policy_rule rule;
	struct plan_fixture_json json;
	void (*prepare)(struct plan_fixture *fixture);
	bool (*holds)(const struct plan *plan);
	const char *words; /* of the refusal */
	bool for_exec;	   /* with the document's own process */
	bool is_own;	   /* brig's own, which config.json can't leave out: adjusted at enforce, too */
};

extern const struct rule_case rule_cases[];
extern const size_t n_rule_cases;
