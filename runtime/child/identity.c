#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child/steps.h"

/* Raw calls: glibc's wrappers broadcast to threads, and there are none. */
static int set_ids(uid_t uid, gid_t gid, struct error *err)
{
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return error_system(err, errno, "set group %u (is it mapped in linux.gidMappings?)", gid);
	if (syscall(SYS_setresuid, uid, uid, uid) < 0)
		return error_system(err, errno, "set user %u (is it mapped in linux.uidMappings?)", uid);
	return 0;
}

int identity_become_root(struct child *child, struct error *err)
{
	int rc;

	if (!child->in_user_namespace)
		return 0;
	rc = set_ids(0, 0, err);
	if (rc < 0)
		return rc;
	/* The maps are written: from here on nobody needs to open this process's /proc files, least of all from inside. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_system(err, errno, "make the process undumpable");
	return 0;
}

int identity_set_user(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;

	if (process->set_umask)
		umask(process->umask);
	/* Exactly the groups asked for (CVE-2023-25173); a user namespace without setgroups has nothing to drop. Of one that is
	 * joined only the kernel knows: to its root EPERM means just that (user_namespaces(7)). */
	if (!child->plan->namespaces.deny_setgroups && syscall(SYS_setgroups, process->n_groups, process->groups) < 0 &&
	    !(errno == EPERM && child->in_user_namespace && process->n_groups == 0))
		return error_system(err, errno, "set %zu additional groups", process->n_groups);
	/* The capabilities of the plan are put in place after the ids have changed; the flag is cleared by execve. */
	if (process->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_system(err, errno, "keep capabilities");
	return set_ids(process->uid, process->gid, err);
}
