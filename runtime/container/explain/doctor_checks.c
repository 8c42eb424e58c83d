/* What `brig doctor` looks at: one function a mechanism, and a table that says what each is for and how to get it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "container/explain/doctor.h"
#include "container/creation/id_ranges.h"
#include "parent/cgroup/cgroup.h"
#include "parent/host.h"
#include "parent/host_idmap.h"
#include "plan/plan_build.h"
#include "policy/policy.h"

/* docs/kernels.md says what goes without on an older one. */
#define LEAST_KERNEL HOST_IDMAP_VERSION(6, 1)
#define CGROUP_ROOT "/sys/fs/cgroup"

__attribute__((format(printf, 3, 4))) static void found(struct doctor_finding *finding, enum doctor_state state,
							const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
}

/* Tried, where it can be tried without leaving anything; the kernel's version only says what to expect of what can't. */
static void look_at_kernel(const struct brig *brig, struct doctor_finding *finding)
{
	struct utsname name;

	(void)brig;
	if (uname(&name) < 0)
		return found(finding, DOCTOR_NEEDED, "uname: %s", strerrordesc_np(errno));
	found(finding, host_idmap_kernel() >= LEAST_KERNEL ? DOCTOR_WORKS : DOCTOR_NEEDED, "Linux %.64s", name.release);
}

/* Rootless is a way to run brig, not a defect: DOCTOR_LACKS says what it costs. */
static void look_at_privileges(const struct brig *brig, struct doctor_finding *finding)
{
	struct host host;
	struct error err = { 0 };

	(void)brig;
	if (host_probe(&host, &err) < 0)
		return found(finding, DOCTOR_NEEDED, "%.200s", err.message);
	if (host.in_user_namespace || !(host.capabilities >> CAP_SYS_ADMIN & 1))
		return found(finding, DOCTOR_LACKS, "brig is not root of this host: rootless");
	if (!(host.capabilities >> CAP_SYS_RESOURCE & 1))
		return found(finding, DOCTOR_LACKS,
			     "root without CAP_SYS_RESOURCE: hard limits can't be raised, oom_score_adj can't be lowered");
	found(finding, DOCTOR_WORKS, "root with all that brig uses");
}

/* In a child of ours, which makes one and ends. */
static void look_at_user_namespaces(const struct brig *brig, struct doctor_finding *finding)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);

	(void)brig;
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return found(finding, DOCTOR_NEEDED, "clone3: %s", strerrordesc_np(errno));
	reap_child(pid);
	found(finding, DOCTOR_WORKS, "one can be made");
}

static void look_at_idmap(const struct brig *brig, struct doctor_finding *finding)
{
	unsigned kernel = host_idmap_kernel();
	char text[160] = "";
	size_t length = 0;

	(void)brig;
	for (const struct host_idmap_row *row = host_idmap_table(); row->type; row++) {
		if (row->since && row->since <= kernel && length < sizeof(text) - 16)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%.14s", length ? ", " : "",
						   row->type);
	}
	found(finding, length ? DOCTOR_WORKS : DOCTOR_NEEDED, "%s", length ? text : "no file system");
}

/* seccomp(2), SECCOMP_GET_ACTION_AVAIL: asks whether the kernel knows an action, and changes nothing. */
static void look_at_seccomp(const struct brig *brig, struct doctor_finding *finding)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	(void)brig;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return found(finding, DOCTOR_NEEDED, "%s", strerrordesc_np(errno));
	action = SECCOMP_RET_USER_NOTIF;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return found(finding, DOCTOR_LACKS, "filters, but no listeners: denials are not told");
	found(finding, DOCTOR_WORKS, "filters and listeners");
}

static void look_at_landlock(const struct brig *brig, struct doctor_finding *finding)
{
	struct host host = { 0 };

	(void)brig;
	host_probe_landlock(&host);
	if (host.landlock < 2)
		return found(finding, DOCTOR_LACKS, host.landlock ? "version %d, which is too old" : "none",
			     host.landlock);
	found(finding, DOCTOR_WORKS,
	      host.landlock < 4 ? "version %d, without TCP (brig.dev/tcp, --no-tcp)" : "version %d", host.landlock);
}

static void look_at_apparmor(const struct brig *brig, struct doctor_finding *finding)
{
	(void)brig;
	if (!host_has_apparmor())
		return found(finding, DOCTOR_LACKS, "AppArmor is off");
	if (!host_has_apparmor_profile(PLAN_APPARMOR_DEFAULT))
		return found(finding, DOCTOR_LACKS,
			     "AppArmor is on, the profile " PLAN_APPARMOR_DEFAULT " is not loaded");
	found(finding, DOCTOR_WORKS, "on, with the profile " PLAN_APPARMOR_DEFAULT "%s",
	      host_has_apparmor_stacked() ? ", also to be stacked below others" : "");
}

/* Where v1 holds a controller it is a folder; where v2 does it is in a list. */
static bool has_controller(const char *name)
{
	char text[512], path[64], *rest = text;
	const char *word;

	snprintf(path, sizeof(path), CGROUP_ROOT "/%.30s", name);
	if (access(path, F_OK) == 0)
		return true;
	if (fd_read_file_at(AT_FDCWD, CGROUP_ROOT "/cgroup.controllers", text, sizeof(text)) < 0)
		return false;
	while ((word = strsep(&rest, " "))) {
		if (strcmp(word, name) == 0)
			return true;
	}
	return false;
}

static void look_at_cgroups(const struct brig *brig, struct doctor_finding *finding)
{
	static const char *const wanted[] = { "memory", "pids", "cpu" };
	enum host_cgroup_layout layout = cgroup_layout();

	(void)brig;
	if (layout == HOST_CGROUP_NONE)
		return found(finding, DOCTOR_NEEDED, "no cgroups at " CGROUP_ROOT);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!has_controller(wanted[i]))
			return found(finding, DOCTOR_LACKS, "%s, without the controller %s", cgroup_layout_name(layout),
				     wanted[i]);
	}
	found(finding, DOCTOR_WORKS, "%s, with memory, pids and cpu", cgroup_layout_name(layout));
}

static void look_at_policy(const struct brig *brig, struct doctor_finding *finding)
{
	struct policy policy;
	struct error err = { 0 };

	if (policy_load(brig->policy, &policy, &err) < 0)
		return found(finding, DOCTOR_NEEDED, "%.250s", err.message);
	found(finding, policy.set == POLICY_CONFORMANT ? DOCTOR_LACKS : DOCTOR_WORKS, "%.150s", policy_name(&policy));
	policy_done(&policy);
}

static bool overlaps(const struct policy_ids *ids, unsigned long long first, unsigned long long count)
{
	return count > 0 && first < (unsigned long long)ids->first + ids->count && first + count > ids->first;
}

const char *doctor_ids_taken(const struct policy_ids *ids)
{
	static const struct {
		uint32_t first, last;
		const char *text;
	} taken[] = {
		/* For 110 pods, where /etc/subuid has no line for the user kubelet. */
		{ 65536, 7274495, "the kubelet's for pods, 65536 to 7274495" },
		{ 524288, 1879048191, "systemd's for containers, 524288 to 1879048191" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (overlaps(ids, taken[i].first, taken[i].last - taken[i].first + 1))
			return taken[i].text;
	}
	return NULL;
}

/* Containers are given none of those that users have: what counts is how many are left. */
static void look_at_ids(const struct brig *brig, struct doctor_finding *finding)
{
	struct policy policy = { 0 };
	struct id_ranges ranges = { 0 };
	struct subordinate_ids given;
	struct error err = { 0 };
	uint32_t n, left;

	policy_load(brig->policy, &policy, NULL);
	ranges.ids = policy_ids(&policy);
	policy_done(&policy);
	if (subordinate_ids_read(subordinate_ids_files, &ranges.ids, &given, &err) < 0)
		return found(finding, DOCTOR_NEEDED, "%.250s", err.message);
	n = ranges.ids.count / ranges.ids.size;
	left = id_ranges_left(&ranges, &given);
	found(finding, DOCTOR_WORKS, "%u ranges of %u ids from %u on", n, ranges.ids.size, ranges.ids.first);
	if (doctor_ids_taken(&ranges.ids))
		found(finding, DOCTOR_LACKS, "the policy's range, from %u on, has ids that are usually others' too: %s",
		      ranges.ids.first, doctor_ids_taken(&ranges.ids));
	if (left < n)
		found(finding, left ? DOCTOR_LACKS : DOCTOR_NEEDED,
		      "%u of %u ranges are left, the others have ids that are given to users: %.120s", left, n,
		      given.line);
}

void doctor_judge_overlay(unsigned kernel, struct doctor_finding *ret)
{
	if (kernel >= HOST_IDMAP_LAYERS_SINCE)
		found(ret, DOCTOR_WORKS, "with id-mapped layers");
	else
		found(ret, DOCTOR_LACKS, "without id-mapped layers: no user namespace on such a root");
}

/* fsopen(2) also loads the module where that is possible (fs-overlay). */
static void look_at_overlay(const struct brig *brig, struct doctor_finding *finding)
{
	int fd = fsopen("overlay", FSOPEN_CLOEXEC);

	(void)brig;
	if (fd < 0)
		return found(finding, DOCTOR_LACKS, "%s", strerrordesc_np(errno));
	close(fd);
	doctor_judge_overlay(host_idmap_kernel(), finding);
}

const struct doctor_check doctor_checks[] = {
	{ "kernel", "a kernel with all mechanisms", "use Linux 6.1 or later", look_at_kernel },
	{ "privileges", "brig's own privileges", "run brig as root, with CAP_SYS_RESOURCE", look_at_privileges },
	{ "user-namespaces", "a user namespace for each container",
	  "set the sysctl user.max_user_namespaces above 0; in a chroot there are none", look_at_user_namespaces },
	{ "id-mapped-mounts", "file systems whose ids can be mapped",
	  "use Linux 5.12 or later, and ext4, xfs, btrfs or tmpfs", look_at_idmap },
	{ "overlay", "overlay root file systems made by brig",
	  "load the module overlay, use Linux " HOST_IDMAP_LAYERS_SINCE_TEXT " or later", look_at_overlay },
	{ "id-range", "a range of ids of their own",
	  "change user_namespaces in the policy, or /etc/subuid and /etc/subgid", look_at_ids },
	{ "seccomp", "system call filters", "use a kernel with CONFIG_SECCOMP_FILTER", look_at_seccomp },
	{ "landlock", "a second lock on the file system",
	  "add landlock to the kernel's parameter lsm=", look_at_landlock },
	{ "apparmor", "an AppArmor profile", "boot with apparmor=1, and load the profile: brig apparmor load",
	  look_at_apparmor },
	{ "cgroups", "limits of memory, processes and processor time",
	  "boot with systemd.unified_cgroup_hierarchy=1, or mount the controllers", look_at_cgroups },
	{ "policy", "a policy that holds the floor", "write " POLICY_FILE ": docs/policy.md, deploy/policy/",
	  look_at_policy },
	{ 0 },
};
