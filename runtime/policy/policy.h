/* What the site allows: the set of rules that planning applies on top of config.json. */
#pragma once

#include "base/error.h"

enum policy_set {
	POLICY_CONFORMANT, /* do what config.json says: for trusted workloads and conformance suites */
};

struct policy {
	enum policy_set set;
};

/* name_or_file: what --policy got; NULL: the built-in set. Returns 0, or a negative errno with err set: ERROR_NOT_FOUND
 * and the list of what is available. ret is untouched on failure. */
int policy_load(const char *name_or_file, struct policy *ret, struct error *err);
/* As policy_load takes it and `brig plan` prints it. */
const char *policy_name(const struct policy *policy);
