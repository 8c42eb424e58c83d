/* What the tables can't say of "linux.seccomp". */
#include "spec/spec_validate.h"

#include <linux/seccomp.h>
#include <stdio.h>

#include "spec/spec_check.h"

/* MAX_ERRNO of the kernel: seccomp(2) silently cuts what is above it. */
#define ERRNO_MAX 4095

static int check_errno(uint32_t action, const struct opt_u32 *value, const char *name, struct error *err)
{
	if (!value->set)
		return 0;
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return error_invalid(err, "linux.seccomp.%s: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a value, not %s",
				     name, names_text(&names_seccomp_actions, action));
	if (action == SECCOMP_RET_ERRNO && value->value > ERRNO_MAX)
		return error_invalid(err, "linux.seccomp.%s: %u is out of range; allowed: 0 to %d", name, value->value,
				     ERRNO_MAX);
	return 0;
}

static int check_rule(const struct spec_seccomp_rule *rule, size_t index, struct error *err)
{
	char name[48];

	if (rule->n_names == 0)
		return error_invalid(err, "linux.seccomp.syscalls[%zu].names: at least one is required", index);
	for (size_t i = 0; i < rule->n_names; i++)
		if (!spec_check_charset(rule->names[i], "_"))
			return error_invalid(err, "linux.seccomp.syscalls[%zu].names[%zu]: \"%.*s\" is not a system call",
					     index, i, SPEC_SHOWN, rule->names[i]);
	snprintf(name, sizeof(name), "syscalls[%zu].errnoRet", index);
	return check_errno(rule->action, &rule->errno_ret, name, err);
}

static int check_listener(const struct spec_seccomp *seccomp, struct error *err)
{
	if (seccomp->listener_path && seccomp->listener_path[0] != '/')
		return error_invalid(err, "linux.seccomp.listenerPath: \"%.*s\" is not an absolute path", SPEC_SHOWN,
				     seccomp->listener_path);
	if (seccomp->listener_metadata && !seccomp->listener_path)
		return error_invalid(err, "linux.seccomp.listenerMetadata: not allowed without listenerPath");
	/* Without anyone to answer, each such call would fail with ENOSYS. */
	for (size_t i = 0; i < seccomp->n_syscalls && !seccomp->listener_path; i++)
		if (seccomp->syscalls[i].action == SECCOMP_RET_USER_NOTIF)
			return error_invalid(
				err, "linux.seccomp.syscalls[%zu].action: SCMP_ACT_NOTIFY needs listenerPath", i);
	return 0;
}

int spec_validate_seccomp(const struct spec_seccomp *seccomp, struct error *err)
{
	int r = check_errno(seccomp->default_action, &seccomp->default_errno_ret, "defaultErrnoRet", err);

	/* It would hold up the very calls that hand the listener over. */
	if (r == 0 && seccomp->default_action == SECCOMP_RET_USER_NOTIF)
		r = error_invalid(err, "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not allowed as the default");
	for (size_t i = 0; i < seccomp->n_syscalls && r == 0; i++)
		r = check_rule(&seccomp->syscalls[i], i, err);
	return r < 0 ? r : check_listener(seccomp, err);
}
