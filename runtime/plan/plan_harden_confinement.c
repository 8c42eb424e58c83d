/* The floor's rules about what the kernel lets a process do: the system call filter, and AppArmor's profile. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "plan/plan_digest.h"
#include "plan/plan_harden.h"

static enum plan_floor floor_of_set(const struct plan_builder *builder)
{
	return policy_set(builder->request->policy) == POLICY_STRICT ? PLAN_FLOOR_STRICT : PLAN_FLOOR_BASELINE;
}

/* The kernel takes one listener, and config.json's goes first. What brig and the startContainer hooks do behind the filter is done while
 * nobody serves a listener yet: what is refused to them must not wait for that. With no_new_privs brig itself does nothing there but
 * execute the program. */
static bool can_notify(const struct plan_builder *builder)
{
	const struct plan *plan = builder->plan;
	const struct plan_seccomp *seccomp = &plan->seccomp;

	if (!(builder->request->holds & PLAN_HOLDS_DENIALS) || !plan->process.no_new_privileges ||
	    plan->hooks[PLAN_HOOK_START_CONTAINER].n > 0)
		return false;
	for (size_t i = 0; seccomp->enabled && i < seccomp->n_rules; i++) {
		if (seccomp->rules[i].action == SECCOMP_RET_USER_NOTIF)
			return false;
	}
	return !seccomp->enabled || (!seccomp->listener_path && seccomp->default_action != SECCOMP_RET_USER_NOTIF);
}

/* Where the host's owner has the kernel protect filtered programs from each other's speculation, no document says otherwise. Left out, the flag
 * is the callers' habit: only who names it is told. */
static int withdraw_speculation(struct plan_builder *builder, struct error *err)
{
	const struct spec_seccomp *asked = builder->spec->linux_.seccomp;
	struct report_line line = { .level = REPORT_ADJUSTED,
				    .rule = policy_rule_name(POLICY_SECCOMP),
				    .where = "linux.seccomp.flags",
				    .asked = "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
				    .applied = "left out",
				    .why = "it would turn the kernel's protection from speculation off, where the host "
					   "has it on for filtered programs" };

	builder->plan->seccomp.flags &= ~SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	if (!asked || !asked->flags.set || !(asked->flags.value & SECCOMP_FILTER_FLAG_SPEC_ALLOW))
		return 0;
	return report_add(builder->report, &line, err);
}

static int lay_floor(struct plan_builder *builder, struct error *err)
{
	struct plan_seccomp *seccomp = &builder->plan->seccomp;
	int rc = withdraw_speculation(builder, err);

	seccomp->floor = floor_of_set(builder);
	seccomp->floor_notifies = can_notify(builder);
	seccomp->logs = !seccomp->floor_notifies && builder->request->policy->audit.kernel_log;
	seccomp->floor_capabilities = builder->plan->process.capabilities.bounding;
	plan_digest_seccomp(seccomp, seccomp->digest);
	return rc;
}

static bool denies_nothing(const struct plan_seccomp *seccomp)
{
	if (!seccomp->enabled)
		return true;
	for (size_t i = 0; i < seccomp->n_rules; i++) {
		if (seccomp->rules[i].action != SECCOMP_RET_ALLOW)
			return false;
	}
	return seccomp->default_action == SECCOMP_RET_ALLOW;
}

/* One of the caller's own is not below the floor, and whether it is as strict, call by call, is for the composition to see: it
 * lies on ours at each level that changes anything. */
static int lay_beneath(struct plan_builder *builder, const char *name, struct error *err)
{
	struct report_line line = { .level = REPORT_NOTE,
				    .rule = policy_rule_name(POLICY_SECCOMP),
				    .where = "linux.seccomp",
				    .asked = "a filter",
				    .applied = plan_builder_text(builder, err, "it, and brig's filter %s beneath", name),
				    .why = "of two answers the stricter one counts" };
	enum policy_level level = plan_harden_level(builder, POLICY_SECCOMP);
	int rc;

	if (!line.applied)
		return -ENOMEM;
	if (level != POLICY_ADJUST && level != POLICY_ENFORCE)
		return 0;
	rc = lay_floor(builder, err);
	return rc < 0 ? rc : report_add(builder->report, &line, err);
}

int plan_harden_seccomp(struct plan_builder *builder, struct error *err)
{
	const char *name = floor_of_set(builder) == PLAN_FLOOR_STRICT ? "strict" : "baseline";
	struct report_line line = { .where = "linux.seccomp",
				    .asked = builder->plan->seccomp.enabled ? "a filter that denies nothing" : "no filter",
				    .applied = plan_builder_text(builder, err, "brig's filter %s", name),
				    .why = "each of the kernel's calls could be tried" };
	bool adjust;
	int rc;

	if (!builder->process)
		return 0;
	if (!line.applied)
		return -ENOMEM;
	if (!denies_nothing(&builder->plan->seccomp))
		return lay_beneath(builder, name, err);
	rc = plan_harden_find(builder, POLICY_SECCOMP, &line, &adjust, err);
	return rc >= 0 && adjust ? lay_floor(builder, err) : rc;
}

/* To make it so nobody can: whoever runs the host has to load the profile. */
static int report_not_loaded(struct plan_builder *builder, struct report_line *line, struct error *err)
{
	line->level = REPORT_WARNING;
	line->rule = policy_rule_name(POLICY_APPARMOR);
	line->applied = "none";
	line->why = "the profile " PLAN_APPARMOR_DEFAULT " is not loaded on this host";
	return report_add(builder->report, line, err);
}

/* Is ours one of a stack's parts? A name that only has it in it is somebody else's. */
static bool has_ours(const char *profile)
{
	static const char between[] = "//&";
	const char *end;

	for (const char *part = profile; part; part = end ? end + strlen(between) : NULL) {
		size_t length;

		end = strstr(part, between);
		length = end ? (size_t)(end - part) : strlen(part);
		if ((length == strlen(PLAN_APPARMOR_DEFAULT) && strncmp(part, PLAN_APPARMOR_DEFAULT, length) == 0) ||
		    (length == strlen(PLAN_APPARMOR_STACKED) && strncmp(part, PLAN_APPARMOR_STACKED, length) == 0))
			return true;
	}
	return false;
}

/* Ours below the one that config.json names: what either refuses is refused. */
static int stack_apparmor(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	struct report_line line = { .where = "process.apparmorProfile",
				    .asked = process->apparmor_profile,
				    .why = "the floor's profile is stacked below it" };
	bool adjust;
	int rc;

	/* A refusal is for those without a profile. */
	if (!builder->host->apparmor_stacked || plan_harden_level(builder, POLICY_APPARMOR) != POLICY_ADJUST ||
	    has_ours(process->apparmor_profile))
		return 0;
	line.applied = plan_builder_text(builder, err, "%s//&" PLAN_APPARMOR_STACKED, process->apparmor_profile);
	if (!line.applied)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_APPARMOR, &line, &adjust, err);
	if (rc >= 0 && adjust)
		process->apparmor_profile = line.applied;
	return rc;
}

/* Also of a policy namespace (":NAMESPACE:unconfined"), and stacked on itself. */
static bool is_unconfined(const char *profile)
{
	while (profile) {
		const char *next = strstr(profile, "//&");
		size_t length = next ? (size_t)(next - profile) : strlen(profile);
		const char *name = memrchr(profile, ':', length);

		name = name ? name + 1 : profile;
		length -= (size_t)(name - profile);
		if (length != strlen("unconfined") || memcmp(name, "unconfined", length) != 0)
			return false;
		profile = next ? next + 3 : NULL;
	}
	return true;
}

int plan_harden_apparmor(struct plan_builder *builder, struct error *err)
{
	struct plan_process *process = &builder->plan->process;
	bool unconfined = process->apparmor_profile && is_unconfined(process->apparmor_profile), adjust;
	struct report_line line = { .where = "process.apparmorProfile",
				    .asked = unconfined ? process->apparmor_profile : "no profile",
				    .applied = PLAN_APPARMOR_DEFAULT,
				    .why = "AppArmor is on, and would not confine it" };
	int rc;

	if (!builder->process || !builder->host->apparmor)
		return 0;
	if (process->apparmor_profile && !unconfined)
		return stack_apparmor(builder, err);
	if (!builder->host->apparmor_default && plan_harden_level(builder, POLICY_APPARMOR) == POLICY_ADJUST)
		return report_not_loaded(builder, &line, err);
	rc = plan_harden_find(builder, POLICY_APPARMOR, &line, &adjust, err);
	if (rc >= 0 && adjust)
		process->apparmor_profile = PLAN_APPARMOR_DEFAULT;
	return rc;
}
