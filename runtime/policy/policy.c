#include "policy/policy.h"

#include <errno.h>
#include <string.h>

#include "policy/policy_internal.h"

static int load_default(struct policy *ret, struct error *err)
{
	struct error failure = { 0 };
	int rc = policy_read_file(POLICY_FILE, ret, &failure);

	if (rc == -ENOENT) {
		rc = policy_check_absent(POLICY_FILE, &failure);
		if (rc == 0)
			policy_init(ret, POLICY_BUILT_IN);
	}
	if (rc < 0 && err)
		*err = failure;
	return rc;
}

int policy_load(const char *name_or_file, struct policy *ret, struct error *err)
{
	char available[256];
	uint64_t set;

	if (!name_or_file)
		return load_default(ret, err);
	if (names_find(&policy_names_sets, name_or_file, &set)) {
		policy_init(ret, (enum policy_set)set);
		return 0;
	}
	if (strchr(name_or_file, '/'))
		return policy_read_file(name_or_file, ret, err);
	return error_set(
		err, ERROR_NOT_FOUND, ENOENT,
		"--policy: there is no policy \"%.200s\"; available: %s, or a file, with a slash in its path (./NAME)",
		name_or_file, names_list(&policy_names_sets, available, sizeof(available)));
}

struct policy_limits policy_limits(const struct policy *policy)
{
	return policy ? policy->limits : (struct policy_limits){ 0 };
}

int policy_level_strictness(enum policy_rule rule, enum policy_level level)
{
	bool floor = rule >= POLICY_FLOOR_FIRST;

	switch (level) {
	case POLICY_LEVEL_OF_SET:
	case POLICY_OFF:
		return 0;
	case POLICY_ADJUST:
		return floor ? 2 : 1;
	case POLICY_WARN:
		return floor ? 1 : 2;
	case POLICY_ENFORCE:
		break;
	}
	return 3;
}

void policy_tighten(struct policy *policy, const struct policy *other)
{
	for (size_t i = 0; i < POLICY_N_RULES; i++) {
		enum policy_rule rule = (enum policy_rule)i;

		if (policy_level_strictness(rule, other->levels[i]) > policy_level_strictness(rule, policy->levels[i]))
			policy->levels[i] = other->levels[i];
	}
}

void policy_done(struct policy *policy)
{
	arena_free(policy->arena);
	policy->arena = NULL;
}

struct policy_strings policy_mount_sources(const struct policy *policy)
{
	return policy ? policy->mount_sources : (struct policy_strings){ 0 };
}

struct policy_strings policy_hook_directories(const struct policy *policy)
{
	return policy ? policy->hook_directories : (struct policy_strings){ 0 };
}

struct policy_strings policy_loggers(const struct policy *policy)
{
	return policy ? policy->loggers : (struct policy_strings){ 0 };
}

struct policy_strings policy_net_devices(const struct policy *policy)
{
	return policy ? policy->net_devices : (struct policy_strings){ 0 };
}

struct policy_strings policy_sysctls(const struct policy *policy)
{
	return policy ? policy->sysctls : (struct policy_strings){ 0 };
}

struct policy_devices policy_devices(const struct policy *policy)
{
	return policy ? policy->devices : (struct policy_devices){ 0 };
}

const struct egress_value *policy_egress(const struct policy *policy)
{
	return policy ? policy->egress : NULL;
}

const char *policy_delegated(const struct policy *policy, enum policy_rule rule)
{
	return policy ? policy->delegated[rule] : NULL;
}
