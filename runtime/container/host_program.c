#include "container/host_program.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "plan/plan_harden.h"
#include "policy/policy.h"

/* As text, and as it is opened: no two paths are the same, whatever links they go through. */
static bool fits(const char *listed, char *const *argv)
{
	size_t length = strcspn(listed, "?");
	const char *key = listed + length;

	if (strlen(argv[0]) != length || strncmp(argv[0], listed, length) != 0)
		return false;
	if (*key == '\0')
		return !argv[1];
	key++;
	if (strcmp(key, "*") == 0)
		return true;
	/* Keys and values in turn. */
	return argv[1] && strcmp(argv[1], key) == 0 && !argv[3];
}

static bool is_listed(const struct policy *policy, char *const *argv)
{
	struct policy_strings loggers = policy_loggers(policy);

	for (size_t i = 0; i < loggers.n; i++) {
		if (fits(loggers.list[i], argv))
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
		.why = "it would run on the host as root, and the policy does not list it with these arguments "
		       "(CVE-2026-53488)"
	};

	switch (policy_level(policy, POLICY_HOOK)) {
	case POLICY_LEVEL_OF_SET:
	case POLICY_ENFORCE:
	/* Left out, the output would be nowhere. */
	case POLICY_ADJUST:
		return plan_harden_refuse(policy_name(policy), &line,
					  "log to a file or a fifo, or have the policy list it in \"loggers\"", err);
	case POLICY_WARN:
		log_warning("%s is %.200s: %s; rule %s of policy %s", line.where, path, line.why, line.rule,
			    policy_name(policy));
		break;
	case POLICY_OFF:
		break;
	}
	return 0;
}

int host_program_check(const struct brig *brig, char *const *argv, struct error *err)
{
	AUTO(policy_done) struct policy policy = { 0 };
	int rc = policy_load(brig->policy, &policy, err);

	if (rc < 0 || is_listed(&policy, argv))
		return rc;
	return judge(&policy, argv[0], err);
}
