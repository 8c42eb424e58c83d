/* A procfs that only we hold and that is never attached: what is written here can't be led elsewhere by mounts or links that
 * a container controls (CVE-2019-16884, CVE-2025-52881). */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "child/steps.h"
#include "plan/plan_id_map.h"

#define SYSCTL_PREFIX "sys/"

static const char *label_of(const struct plan_process *process)
{
	return process->apparmor_profile ?: process->selinux_label;
}

static int open_below(struct child *child, const char *path)
{
	return sys_openat2(child->proc_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

static int open_label(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	const char *file = process->apparmor_profile ? "thread-self/attr/apparmor/exec" : "thread-self/attr/exec";

	child->label_fd = open_below(child, file);
	/* Kernels before 5.1 have no directory per security module. */
	if (child->label_fd < 0 && errno == ENOENT && process->apparmor_profile)
		child->label_fd = open_below(child, "thread-self/attr/exec");
	if (child->label_fd < 0)
		return error_system(err, errno, "open %s to set the label %s", file, label_of(process));
	return 0;
}

static void open_key_label(struct child *child)
{
	const struct plan_process *process = &child->plan->process;

	if (!process->new_keyring || !process->selinux_label)
		return;
	child->key_fd = open_below(child, "thread-self/attr/keycreate");
	if (child->key_fd < 0)
		child->key_fd = -errno;
}

int private_proc_open(struct child *child, struct error *err)
{
	int rc;

	if (child->plan->n_sysctls == 0 && !label_of(&child->plan->process))
		return 0;
	if (child->proc_fd < 0)
		child->proc_fd = mount_make_filesystem("proc", NULL, 0, 0, err);
	if (child->proc_fd < 0)
		return child->proc_fd;
	rc = label_of(&child->plan->process) ? open_label(child, err) : 0;
	open_key_label(child);
	/* An exec's is the host's, made by the parent: it must not stay open where the container may look. */
	if (child->role == CHILD_EXEC)
		close_and_reset(&child->proc_fd);
	return rc;
}

static int write_below(struct child *child, const char *path, const char *value)
{
	AUTO_CLOSE int fd = open_below(child, path);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

/* Those of an ipc namespace are for the root of the user namespace that owns it, by effective user id: no capability of the host's
 * counts there. */
static int write_as_owner(struct child *child, const char *path, const char *value, struct error *err)
{
	uid_t root = plan_id_map_outside(&child->plan->namespaces.uids, 0);
	int rc;

	if (syscall(SYS_setresuid, -1, root, -1) < 0)
		return error_system(err, errno, "become user %u", root);
	rc = write_below(child, path, value);
	if (syscall(SYS_setresuid, -1, 0, -1) < 0)
		return error_system(err, errno, "become root again");
	/* It went with the effective user id. */
	if (identity_become_root(child, err) < 0)
		return -err->code;
	return rc < 0 ? error_system(err, -rc, "linux.sysctl: write \"%s\" to %s", value, path + strlen(SYSCTL_PREFIX))
		      : 0;
}

int private_proc_write_sysctls(struct child *child, struct error *err)
{
	char path[256];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < child->plan->n_sysctls; i++) {
		const struct plan_pair *sysctl = &child->plan->sysctls[i];

		if (snprintf(path, sizeof(path), SYSCTL_PREFIX "%s", sysctl->name) >= (int)sizeof(path))
			return error_invalid(err, "linux.sysctl: the name %s is too long", sysctl->name);
		rc = write_below(child, path, sysctl->value);
		if (rc == -EACCES && child->userns_fd >= 0)
			rc = write_as_owner(child, path, sysctl->value, err);
		else if (rc < 0)
			rc = error_system(err, -rc, "linux.sysctl: write \"%s\" to %s", sysctl->value, sysctl->name);
	}
	return rc;
}

void private_proc_label_keys(struct child *child)
{
	AUTO_CLOSE int fd = steal_fd(&child->key_fd);
	const char *label = child->plan->process.selinux_label;

	if (label && (fd < 0 || write(fd, label, strlen(label)) < 0))
		child_warn(child, "the session keyring does not get the label %s: %s", label,
			   strerrordesc_np(fd < 0 ? -fd : errno));
}

int private_proc_set_labels(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	char text[512];
	int length;

	if (child->label_fd < 0)
		return 0;
	length = snprintf(text, sizeof(text), "%s%s", process->apparmor_profile ? "exec " : "", label_of(process));
	if (length >= (int)sizeof(text))
		return error_invalid(err, "the label %.64s... is too long", label_of(process));
	if (write(child->label_fd, text, (size_t)length) < 0)
		return error_system(err, errno, "set the label %s (is it loaded?)", label_of(process));
	return 0;
}
