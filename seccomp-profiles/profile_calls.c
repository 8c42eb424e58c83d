/* Which system calls there are, by libseccomp's tables and our own of newer ones, and whether a policy speaks of all. */
#include "seccomp-profiles/profile.h"

#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_new_calls.h"

const uint32_t profile_calls_architectures[PROFILE_ARCHITECTURES] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86,
								      SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };

/* Linux 6.19 ends with 470; the architectures count alike since 5.1. */
#define NUMBER_MAX 600
/* __ARM_NR_BASE: a few calls of arm's own. */
#define ARM_FIRST 0x0f0000u
#define ARM_MAX (ARM_FIRST + 16)

static uint32_t following(uint32_t audit, uint32_t number)
{
	if (audit == SCMP_ARCH_ARM && number > NUMBER_MAX && number < ARM_FIRST)
		return ARM_FIRST;
	return number;
}

const char *profile_calls_next(uint32_t audit, struct arena *arena, uint32_t *number)
{
	const struct seccomp_arch *arch = seccomp_arch_find(audit);
	uint32_t max = audit == SCMP_ARCH_ARM ? ARM_MAX : NUMBER_MAX;

	for (*number = following(audit, *number); *number <= max; *number = following(audit, *number + 1)) {
		AUTO_FREE char *known = seccomp_syscall_resolve_num_arch(audit, (int)*number);
		const char *name = known ? known : seccomp_new_calls_name(arch, *number);

		if (name)
			return arena_strdup(arena, name);
	}
	return NULL;
}

static bool exists(const char *name)
{
	uint32_t number;

	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR ||
	       seccomp_new_calls_find(seccomp_arch_find(SCMP_ARCH_X86_64), name, &number);
}

static bool names_call(const struct profile_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->n_names; i++)
		if (strcmp(rule->names[i], name) == 0)
			return true;
	return false;
}

static bool is_plain(const struct profile_rule *rule)
{
	return rule->n_conditions == 0 && rule->needs == 0;
}

/* What two rules about one call can't both say. The outer of two files may allow what the inner one leaves out. */
static const char *clash(const struct profile_rule *earlier, const struct profile_rule *later)
{
	if (earlier->n_conditions > 0 || later->n_conditions > 0)
		return NULL;
	if (earlier->kind == later->kind && earlier->needs == later->needs)
		return "says so too";
	if (!is_plain(earlier) || !is_plain(later))
		return NULL;
	if (later->kind == PROFILE_ALLOW && later->depth < earlier->depth)
		return NULL;
	return "says something else";
}

static int check_call(const struct profile *profile, size_t index, const char *name, struct error *err)
{
	const struct profile_rule *rule = &profile->rules[index];
	const char *problem;

	if (!exists(name))
		return error_invalid(err, "%s:%u: no system call %s on any architecture that libseccomp %u.%u.%u knows",
				     rule->file, rule->line, name, seccomp_version()->major, seccomp_version()->minor,
				     seccomp_version()->micro);
	for (size_t i = 0; i < index; i++) {
		const struct profile_rule *earlier = &profile->rules[i];

		problem = names_call(earlier, name) ? clash(earlier, rule) : NULL;
		if (problem)
			return error_invalid(err, "%s:%u: %s: %s:%u %s", rule->file, rule->line, name, earlier->file,
					     earlier->line, problem);
	}
	return 0;
}

int profile_calls_check(const struct profile *profile, struct error *err)
{
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct profile_rule *rule = &profile->rules[i];

		for (size_t k = 0; k < rule->n_names; k++) {
			int r = check_call(profile, i, rule->names[k], err);

			if (r < 0)
				return r;
			for (size_t j = 0; j < k; j++)
				if (strcmp(rule->names[j], rule->names[k]) == 0)
					return error_invalid(err, "%s:%u: %s twice in one rule", rule->file, rule->line,
							     rule->names[k]);
		}
	}
	return 0;
}

/* A call counts as spoken of where something says what it is when no condition and no capability allows it. */
static bool is_decided(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->n_rules; i++)
		if (names_call(&profile->rules[i], name) &&
		    (is_plain(&profile->rules[i]) ||
		     (profile->rules[i].n_conditions > 0 && profile->rules[i].kind == PROFILE_ALLOW &&
		      profile->rules[i].needs == 0)))
			return true;
	return false;
}

int profile_calls_complete(const struct profile *profile, struct arena *arena, struct error *err)
{
	for (size_t i = 0; i < PROFILE_ARCHITECTURES; i++) {
		uint32_t number = 0;
		const char *name;

		for (; (name = profile_calls_next(profile_calls_architectures[i], arena, &number)); number++)
			if (!is_decided(profile, name))
				return error_invalid(err,
						     "%s, which is %u on %s, is in no rule: allow it, or list it as left "
						     "out, with the reason",
						     name, number,
						     seccomp_arch_find(profile_calls_architectures[i])->name);
	}
	return 0;
}
