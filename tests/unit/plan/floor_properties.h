/* What no plan under strict may be, whatever config.json says: each with the rule and the function of the floor that see to it. */
#pragma once

#include "plan_fixture.h"

struct floor_property {
	enum policy_rule rule;
	const char *function; /* of floor_functions.h; NULL: none that could be taken out (plan_userns.c, plan_egress.c) */
	bool (*violated)(const struct plan_fixture *fixture); /* fixture has a plan */
	const char *what;
};

extern const struct floor_property floor_properties[];
extern const size_t n_floor_properties;

/* The policy that the properties are about: strict, with limits and lists of a site. */
extern const char floor_properties_policy[];
