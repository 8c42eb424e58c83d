#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	enum policy_set set;
} sets[] = {
	{ "conformant", POLICY_CONFORMANT },
};

static const char *list_sets(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(sets) && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", sets[i].name);
	return text;
}

int policy_load(const char *name_or_file, struct policy *ret, struct error *err)
{
	char available[256];

	if (!name_or_file)
		name_or_file = sets[0].name;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		if (strcmp(sets[i].name, name_or_file) == 0) {
			*ret = (struct policy){ .set = sets[i].set };
			return 0;
		}
	}
	return error_set(err, ERROR_NOT_FOUND, ENOENT,
			 "--policy: there is no policy \"%.200s\"; available: %s (policy files are not supported yet)",
			 name_or_file, list_sets(available, sizeof(available)));
}

const char *policy_name(const struct policy *policy)
{
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		if (sets[i].set == policy->set)
			return sets[i].name;
	}
	return "unknown";
}
