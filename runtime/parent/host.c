#include "parent/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/syscalls.h"
#include "parent/cgroup/cgroup.h"

/* The last capability that this kernel knows. */
static int last_capability(void)
{
	int known = 0, unknown = 64;

	while (unknown - known > 1) {
		int middle = (known + unknown) / 2;

		if (prctl(PR_CAPBSET_READ, middle, 0, 0, 0) < 0)
			unknown = middle;
		else
			known = middle;
	}
	return known;
}

static int probe_capabilities(struct host *host, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return error_system(err, errno, "read our own capabilities");
	host->capabilities = data[0].effective | (uint64_t)data[1].effective << 32;
	host->last_capability = last_capability();
	/* What we hold may be handed on; where we hold nothing (rootless) the container's own namespace decides. */
	host->capability_bounding = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

int host_oom_score_adj(void)
{
	char text[32];

	return fd_read_file_at(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof(text)) > 0 ? atoi(text) : 0;
}

#define APPARMORFS "/sys/kernel/security/apparmor/"

/* The kernel has a directory for each, "NAME.NUMBER" (apparmorfs). */
static bool has_profile(const char *folder, const char *name)
{
	DIR *directory = opendir(folder);
	size_t length = strlen(name);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory)))
		found = strncmp(entry->d_name, name, length) == 0 && entry->d_name[length] == '.' &&
			!strchr(entry->d_name + length + 1, '.');
	if (directory)
		closedir(directory);
	return found;
}

bool host_has_apparmor(void)
{
	char text[8];

	return fd_read_file_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) > 0 &&
	       *text == 'Y';
}

bool host_has_apparmor_profile(const char *name)
{
	return has_profile(APPARMORFS "policy/profiles", name);
}

bool host_has_apparmor_stacked(void)
{
	char text[8];

	return fd_read_file_at(AT_FDCWD, APPARMORFS "features/domain/stack", text, sizeof(text)) > 0 &&
	       strncmp(text, "yes", 3) == 0 &&
	       has_profile(APPARMORFS "policy/namespaces/" PLAN_APPARMOR_NAMESPACE "/profiles", PLAN_APPARMOR_DEFAULT);
}

static void probe_limits(struct host *host)
{
	struct rlimit limit;

	for (int resource = 0; resource < (int)ARRAY_SIZE(host->rlimit_hard); resource++) {
		if (getrlimit((__rlimit_resource_t)resource, &limit) == 0)
			host->rlimit_hard[resource] = limit.rlim_max;
		else
			host->rlimit_hard[resource] = RLIM_INFINITY;
	}
	host->oom_score_adj = host_oom_score_adj();
}

static void probe_priorities(struct host *host)
{
	int scheduler = sched_getscheduler(0);
	long io_priority = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	host->scheduler = scheduler < 0 ? SCHED_OTHER : scheduler & ~SCHED_RESET_ON_FORK;
	host->nice = getpriority(PRIO_PROCESS, 0);
	host->io_priority = io_priority < 0 ? 0 : (int)io_priority;
}

/* The kernel's number for the first one (PROC_USER_INIT_INO). */
static bool is_initial_user_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/user", &status) < 0 || status.st_ino == 0xeffffffd;
}

int host_probe(struct host *host, struct error *err)
{
	int rc;

	*host = (struct host){ .euid = geteuid(), .egid = getegid(), .oom_score_adj = -1000 };
	rc = probe_capabilities(host, err);
	if (rc < 0)
		return rc;
	memset(host->rlimit_hard, 0xff, sizeof(host->rlimit_hard));
	if (!(host->capabilities >> CAP_SYS_RESOURCE & 1))
		probe_limits(host);
	probe_priorities(host);
	host->in_user_namespace = !is_initial_user_namespace();
	host->cgroup_layout = cgroup_layout();
	host->cgroup_closed = host->euid && !cgroup_layout_is_open(host->cgroup_layout);
	host->apparmor = host_has_apparmor();
	host->selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
	return 0;
}

void host_probe_landlock(struct host *host)
{
	int version = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	host->landlock = version > 0 ? version : 0;
}
