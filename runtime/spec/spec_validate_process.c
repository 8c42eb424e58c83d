/* What the tables can't say of "process". */
#include "spec/spec_validate.h"

#include <stdio.h>
#include <string.h>

#include "spec/spec_check.h"

/* NGROUPS_MAX of the kernel; libc's constant is the same. */
#define GROUPS_MAX 65536

static int check_command(const struct spec_process *process, const char *where, struct error *err)
{
	if (process->n_args == 0)
		return error_invalid(err, "%sargs: at least one is required: the program", where);
	if (process->args[0][0] == '\0')
		return error_invalid(err, "%sargs[0]: the program's name must not be empty", where);
	if (process->cwd[0] != '/')
		return error_invalid(err, "%scwd: \"%.*s\" is not an absolute path; it has to begin with \"/\"", where,
				     SPEC_SHOWN, process->cwd);
	return spec_check_env(process->env, process->n_env, where, err);
}

/* (uid_t)-1 means "leave as it is" to setresuid(2) and its kin: the process would stay root. */
static int check_id(uint32_t id, const char *where, const char *name, struct error *err)
{
	if (id != UINT32_MAX)
		return 0;
	return error_invalid(err, "%s%s: %u is not a valid id; allowed: 0 to %u", where, name, id, UINT32_MAX - 1);
}

static int check_user(const struct spec_user *user, const char *where, struct error *err)
{
	char name[48];
	int r = check_id(user->uid, where, "user.uid", err);

	if (r == 0)
		r = check_id(user->gid, where, "user.gid", err);
	if (r == 0 && user->n_additional_gids > GROUPS_MAX)
		r = error_invalid(err, "%suser.additionalGids: %zu entries; at most %d are allowed", where,
				  user->n_additional_gids, GROUPS_MAX);
	for (size_t i = 0; i < user->n_additional_gids && r == 0; i++) {
		if (user->additional_gids[i] != UINT32_MAX)
			continue;
		snprintf(name, sizeof(name), "user.additionalGids[%zu]", i);
		r = check_id(user->additional_gids[i], where, name, err);
	}
	if (r == 0 && user->umask.set && user->umask.value > 0777)
		r = error_invalid(err, "%suser.umask: %u is out of range; allowed: 0 to 511 (octal 0777)", where,
				  user->umask.value);
	return r;
}

static int check_rlimits(const struct spec_process *process, const char *where, struct error *err)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *limit = &process->rlimits[i];
		uint64_t bit = UINT64_C(1) << limit->type;

		if (seen & bit)
			return error_invalid(err, "%srlimits[%zu].type: %s is there twice", where, i,
					     names_text(&names_rlimits, (uint64_t)limit->type));
		if (limit->soft > limit->hard)
			return error_invalid(err, "%srlimits[%zu].soft: %llu is above the hard limit of %llu", where, i,
					     (unsigned long long)limit->soft, (unsigned long long)limit->hard);
		seen |= bit;
	}
	return 0;
}

static int check_labels(const struct spec_process *process, const char *where, struct error *err)
{
	int r = spec_check_plain(process->apparmor_profile, where, "apparmorProfile", err);

	return r < 0 ? r : spec_check_plain(process->selinux_label, where, "selinuxLabel", err);
}

static int check_affinity(const struct spec_exec_cpu_affinity *affinity, const char *where, struct error *err)
{
	int r = spec_check_cpu_list(affinity->initial, where, "execCPUAffinity.initial", err);

	return r < 0 ? r : spec_check_cpu_list(affinity->final, where, "execCPUAffinity.final", err);
}

int spec_validate_process(const struct spec_process *process, const char *where, struct error *err)
{
	int r = check_command(process, where, err);

	if (r == 0)
		r = check_user(&process->user, where, err);
	if (r == 0)
		r = check_rlimits(process, where, err);
	if (r == 0)
		r = check_labels(process, where, err);
	if (r == 0 && process->exec_cpu_affinity)
		r = check_affinity(process->exec_cpu_affinity, where, err);
	return r;
}
