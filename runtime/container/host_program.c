#include "container/host_program.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/path.h"
#include "plan/plan_harden.h"
#include "policy/policy.h"

#define MEMORY_MAX ((size_t)64 * 1024)

static bool is_listed(const struct policy *policy, const char *path)
{
	struct policy_strings directories = policy_hook_directories(policy);

	for (size_t i = 0; i < directories.n; i++) {
		if (path_is_below(path, directories.list[i]))
			return true;
	}
	return false;
}

static int judge(const struct policy *policy, const char *path, struct error *err)
{
	const struct report_line line = {
		.rule = policy_rule_name(POLICY_HOOK),
		.where = "the logger of stdout and stderr",
		.asked = path,
		.why = "it would run on the host as root, and is in none of the policy's directories (CVE-2026-53488)"
	};

	switch (policy_level(policy, POLICY_HOOK)) {
	case POLICY_LEVEL_OF_SET:
	case POLICY_ENFORCE:
	/* Left out, the output would be nowhere. */
	case POLICY_ADJUST:
		return plan_harden_refuse(
			policy_name(policy), &line,
			"log to a file or a fifo, or have the policy list its directory in \"hook_directories\"", err);
	case POLICY_WARN:
		log_warning("%s is %.200s: %s; rule %s of policy %s", line.where, path, line.why, line.rule,
			    policy_name(policy));
		break;
	case POLICY_OFF:
		break;
	}
	return 0;
}

int host_program_check(const struct brig *brig, const char *path, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	AUTO(policy_done) struct policy policy = { 0 };
	const char *normal = arena ? path_normalise(arena, path) : NULL;
	int rc;

	if (!normal)
		return error_memory(err);
	rc = policy_load(brig->policy, &policy, err);
	if (rc < 0 || is_listed(&policy, normal))
		return rc;
	return judge(&policy, normal, err);
}
