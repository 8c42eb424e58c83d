/* Who we are: root of the user namespace while things are set up, in the end the program's user. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child/steps.h"
#include "plan/plan_id_map.h"

/* Raw calls: glibc's wrappers broadcast to threads, and there are none. */
static int set_ids(uid_t uid, gid_t gid, struct error *err)
{
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return error_system(err, errno, "set group %u (is it mapped in linux.gidMappings?)", gid);
	if (syscall(SYS_setresuid, uid, uid, uid) < 0)
		return error_system(err, errno, "set user %u (is it mapped in linux.uidMappings?)", uid);
	return 0;
}

static int hide(struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_system(err, errno, "make the process undumpable");
	return 0;
}

/* What is made belongs to the container's root, by the host's root, whose capabilities stay: capabilities(7), "Effect of user ID
 * changes on capabilities", takes those over files away with the filesystem user id. */
static int make_files_as_root(const struct plan_namespaces *namespaces, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	gid_t gid = plan_id_map_outside(&namespaces->gids, 0);
	uid_t uid = plan_id_map_outside(&namespaces->uids, 0);

	if (syscall(SYS_capget, &header, data) < 0)
		return error_system(err, errno, "read our own capabilities");
	setfsgid(gid);
	setfsuid(uid);
	/* They tell nothing but the value that was there before. */
	if ((gid_t)setfsgid((gid_t)-1) != gid || (uid_t)setfsuid((uid_t)-1) != uid)
		return error_system(err, EPERM, "make files as user %u and group %u", uid, gid);
	if (syscall(SYS_capset, &header, data) < 0)
		return error_system(err, errno, "keep our own capabilities");
	return hide(err);
}

/* A new user namespace may have one id alone, its program's, who has the capabilities to set everything up as well. */
static bool has_root(const struct plan_namespaces *namespaces)
{
	const struct plan_id_map *uids = &namespaces->uids;

	return uids->n_ranges != 1 || uids->ranges[0].count != 1 || uids->ranges[0].inside == 0;
}

int identity_become_root(struct child *child, struct error *err)
{
	int rc;

	if (!child->in_user_namespace)
		return 0;
	if (child->userns_fd >= 0)
		return make_files_as_root(&child->plan->namespaces, err);
	rc = has_root(&child->plan->namespaces) ? set_ids(0, 0, err) : 0;
	/* The maps are written: from here on nobody needs to open this process's /proc files, least of all from inside. */
	return rc < 0 ? rc : hide(err);
}

int identity_enter_user_namespace(struct child *child, struct error *err)
{
	const struct plan_capabilities *capabilities = &child->plan->process.capabilities;
	int rc;

	if (child->userns_fd < 0)
		return 0;
	if (setns(child->userns_fd, CLONE_NEWUSER) < 0)
		return error_system(err, errno, "join it");
	close_and_reset(&child->userns_fd);
	/* Who may mount has a mount namespace to do that in: a copy that another user namespace makes has every mount that was there
	 * locked (mount_namespaces(7)). */
	if (capabilities->bounding >> CAP_SYS_ADMIN & 1 && unshare(CLONE_NEWNS) < 0)
		return error_system(err, errno, "copy the mount namespace");
	rc = set_ids(0, 0, err);
	return rc < 0 ? rc : hide(err);
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
