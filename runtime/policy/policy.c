#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy_internal.h"

static const struct name sets[] = { { "conformant", POLICY_CONFORMANT } };
const struct name_table policy_names_sets = { "policy set", sets, ARRAY_SIZE(sets) };

static const struct name levels[] = {
	{ "enforce", POLICY_ENFORCE },
	{ "adjust", POLICY_ADJUST },
	{ "warn", POLICY_WARN },
	{ "off", POLICY_OFF },
};
const struct name_table policy_names_levels = { "level", levels, ARRAY_SIZE(levels) };

/* Callers' defaults ask for more than many hosts give (podman, containerd): conformant lets them work. */
static const enum policy_level levels_of_sets[][POLICY_N_RULES] = {
	[POLICY_CONFORMANT] = {
		[POLICY_CAPABILITY_UNKNOWN] = POLICY_WARN,
		[POLICY_CAPABILITY_WITHHELD] = POLICY_WARN,
		[POLICY_CGROUP_DISABLED] = POLICY_WARN,
		[POLICY_LIMIT_RAISE] = POLICY_WARN,
		[POLICY_LIMIT_UNSUPERVISED] = POLICY_WARN,
		[POLICY_OOM_SCORE_LOWER] = POLICY_WARN,
		[POLICY_RLIMIT_RAISE] = POLICY_WARN,
		[POLICY_SELINUX_MISSING] = POLICY_WARN,
	},
};

static const char *const remedies[] = {
	[POLICY_CAPABILITY_UNKNOWN] = "leave it out, or use a kernel that knows it",
	[POLICY_CAPABILITY_WITHHELD] = "leave it out, or start brig with it",
	[POLICY_CGROUP_DISABLED] = "leave the limits out, or have a cgroup made",
	[POLICY_LIMIT_RAISE] = "ask for no more than the site's maximum",
	[POLICY_LIMIT_UNSUPERVISED] = "have it made by containerd's shim, or run it in the foreground",
	[POLICY_OOM_SCORE_LOWER] = "ask for no less than brig's own value, or start brig with CAP_SYS_RESOURCE",
	[POLICY_RLIMIT_RAISE] = "ask for no more than the host's hard limit, or start brig with CAP_SYS_RESOURCE",
	[POLICY_SELINUX_MISSING] = "leave the label out, or use a host with SELinux",
};

void policy_init(struct policy *policy, enum policy_set set)
{
	*policy = (struct policy){ .set = set };
	memcpy(policy->levels, levels_of_sets[set], sizeof(policy->levels));
	snprintf(policy->name, sizeof(policy->name), "%s", names_text(&policy_names_sets, set));
}

static int load_default(struct policy *ret, struct error *err)
{
	struct error failure = { 0 };
	int rc = policy_read_file(POLICY_FILE, ret, &failure);

	if (rc == -ENOENT) {
		policy_init(ret, POLICY_CONFORMANT);
		return 0;
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

const char *policy_name(const struct policy *policy)
{
	return policy ? policy->name : names_text(&policy_names_sets, POLICY_CONFORMANT);
}

enum policy_level policy_level(const struct policy *policy, enum policy_rule rule)
{
	return policy ? policy->levels[rule] : levels_of_sets[POLICY_CONFORMANT][rule];
}

struct policy_limits policy_limits(const struct policy *policy)
{
	return policy ? policy->limits : (struct policy_limits){ 0 };
}

const char *policy_level_name(enum policy_level level)
{
	return names_text(&policy_names_levels, level) ?: "as the set has it";
}

const char *policy_rule_remedy(enum policy_rule rule)
{
	return remedies[rule];
}
