/* What execve(2) keeps of a process and the plan names: session, limits, scheduling, keyring, working directory. */
#include <errno.h>
#include <linux/keyctl.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "child/steps.h"
#include "plan/plan_id_map.h"

#define IOPRIO_WHO_PROCESS 1

static int set_scheduler(const struct plan_scheduler *scheduler, struct error *err)
{
	struct sched_attr attr = { .size = sizeof(attr),
				   .sched_policy = (uint32_t)scheduler->policy,
				   .sched_flags = scheduler->flags,
				   .sched_nice = scheduler->nice,
				   .sched_priority = (uint32_t)scheduler->priority,
				   .sched_runtime = scheduler->runtime,
				   .sched_deadline = scheduler->deadline,
				   .sched_period = scheduler->period };

	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		return error_system(err, errno, "process.scheduler: set it");
	return 0;
}

/* "0" is who writes: see cgroup_open_tasks. */
static int join_cgroup(const struct child_cgroup *cgroup, struct error *err)
{
	if (write(cgroup->tasks_fd, "0", 1) < 0)
		return error_system(err, errno, "write to tasks of the container's %s cgroup", cgroup->name);
	return 0;
}

int process_join_cgroups(struct child *child, struct error *err)
{
	const struct plan_scheduler *scheduler = &child->plan->process.scheduler;

	for (; child->n_cgroups > 0; child->n_cgroups--) {
		struct child_cgroup *cgroup = &child->cgroups[child->n_cgroups - 1];
		int rc = join_cgroup(cgroup, err);

		/* A cpu group without a budget for realtime takes nobody of that class, which we are where brig's caller is. */
		if (rc == -EINVAL && scheduler->set && set_scheduler(scheduler, err) >= 0)
			rc = join_cgroup(cgroup, err);
		if (rc < 0)
			return rc;
		close_and_reset(&cgroup->tasks_fd);
	}
	return 0;
}

int process_new_session(struct child *child, struct error *err)
{
	sigset_t none;

	/* A foreground brig has signals blocked for its signalfd; the program starts with none. Nor with one ignored: execve keeps
	 * what nohup(1) or a shell's background job has set for our caller. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number <= SIGRTMAX && !child->has_default_signals; number++)
		sys_default_signal(number);
	/* The caller's would decide on the directories that are made for mounts; without process.user.umask runc has this one. */
	umask(0022);
	if (setsid() < 0)
		return error_system(err, errno, "setsid");
	return 0;
}

/* The mount in which path lies by its name: its number, or that of mounts where there is none. */
static size_t find_mount(const struct plan_rootfs *rootfs, const char *path)
{
	size_t found = rootfs->n_mounts;

	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (path_is_below(path, rootfs->mounts[i].destination))
			found = i;
	}
	return found;
}

/* Of a file system that is nobody's but this container's, and in which path should lie, or -EBADF. */
static int find_new_file_system(const struct child *child, const char *path)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	size_t i = find_mount(rootfs, path);

	return i < rootfs->n_mounts && rootfs->mounts[i].kind == PLAN_MOUNT_FILESYSTEM ? child->mount_fds[i] : -EBADF;
}

/* With links of an image's it may lie elsewhere than its name says: in a volume of the host's. */
static bool is_of(int file_system_fd, int fd)
{
	struct stat wanted, found;

	return fstat(file_system_fd, &wanted) == 0 && fstat(fd, &found) == 0 && wanted.st_dev == found.st_dev;
}

/* Returns a descriptor or a negative errno. */
static int make_directory(const struct child *child, const char *path)
{
	return path_make_in_root(child->root_fd, path, /* is_file= */ false, 0755);
}

/* As /work/a/b of a sandbox, which nobody else is there to make: in a file system of its own the program is to write where it begins. What
 * lies in a volume or an image is made as root's, as with other runtimes. */
static void make_cwd_of_program(struct child *child)
{
	const struct plan_namespaces *namespaces = &child->plan->namespaces;
	const struct plan_process *process = &child->plan->process;
	bool of_host = child->userns_fd >= 0;
	uid_t uid = of_host ? plan_id_map_outside(&namespaces->uids, process->uid) : process->uid;
	gid_t gid = of_host ? plan_id_map_outside(&namespaces->gids, process->gid) : process->gid;
	AUTO_FREE char *path = strdup(process->cwd);
	char *slash = path;

	while (slash) {
		AUTO_CLOSE int fd = -EBADF;
		int new_fd;

		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		fd = path_open_in_root(child->root_fd, path, O_PATH | O_DIRECTORY);
		new_fd = find_new_file_system(child, path);
		if (fd == -ENOENT && new_fd >= 0) {
			fd = make_directory(child, path);
			if (fd >= 0 && is_of(new_fd, fd) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
				child_warn(child, "process.cwd: give %s to the program: %s", path,
					   strerrordesc_np(errno));
		}
		if (slash)
			*slash = '/';
	}
}

/* Callers name working directories that the image lacks. On a file system that can't be written the later chdir tells. */
int process_make_cwd(struct child *child, struct error *err)
{
	const struct plan_rootfs *rootfs = &child->plan->rootfs;
	const char *cwd = child->plan->process.cwd;
	size_t mount;
	int fd;

	(void)err;
	if (!child->plan->has_process || child->root_fd < 0)
		return 0;
	mount = child->attendant ? find_mount(rootfs, cwd) : rootfs->n_mounts;
	/* /work itself, as a rule: it was made for the mount. */
	if (mount < rootfs->n_mounts && strcmp(rootfs->mounts[mount].destination, cwd) == 0)
		return 0;
	if (child->attendant)
		make_cwd_of_program(child);
	fd = make_directory(child, cwd);
	close_and_reset(&fd);
	return 0;
}

int process_set_limits(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct plan_rlimit *limit = &process->rlimits[i];
		struct rlimit value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };

		if (limit->by_parent)
			continue;
		if (setrlimit((__rlimit_resource_t)limit->resource, &value) < 0)
			return error_system(err, errno, "process.rlimits[%zu]: set soft %llu, hard %llu", i,
					    (unsigned long long)limit->soft, (unsigned long long)limit->hard);
	}
	return 0;
}

int process_set_scheduling(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;

	if (process->set_personality && personality(process->personality) < 0)
		return error_system(err, errno, "linux.personality: set %#lx", process->personality);
	if (process->set_io_priority && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, process->io_priority) < 0)
		return error_system(err, errno, "process.ioPriority: set %#x", process->io_priority);
	return process->scheduler.set ? set_scheduler(&process->scheduler, err) : 0;
}

/* Without one of its own the container would use the keys of whoever called brig. */
int process_new_keyring(struct child *child, struct error *err)
{
	char name[64];

	(void)err;
	/* An exec gets one as well, for the same reason; not the container's, which other containers could then join by its name. */
	if (!child->plan->process.new_keyring)
		return 0;
	private_proc_label_keys(child);
	snprintf(name, sizeof(name), "_ses.%.50s", child->plan->id);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0 && errno != ENOSYS)
		child_warn(child, "the container shares the caller's session keyring: make a new one: %s",
			   strerrordesc_np(errno));
	return 0;
}

/* As root first: images have working directories that only root may enter, with a user who never does. As the user again, where
 * root may not (a network file system). */
int process_enter_cwd_as_root(struct child *child, struct error *err)
{
	(void)err;
	child->is_in_cwd = chdir(child->plan->process.cwd) == 0;
	return 0;
}

int process_enter_cwd(struct child *child, struct error *err)
{
	const char *cwd = child->plan->process.cwd;
	char now[4096];

	if (!child->is_in_cwd && chdir(cwd) < 0)
		return error_system(err, errno, "process.cwd: chdir to %s", cwd);
	/* A directory outside of the root, as a leaked descriptor gives it (CVE-2024-21626), has no path from "/". */
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0 || now[0] != '/')
		return error_set(err, ERROR_REFUSED, EPERM, "process.cwd: %s leads out of the container", cwd);
	return 0;
}

int process_no_new_privileges(struct child *child, struct error *err)
{
	if (child->plan->process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_system(err, errno, "process.noNewPrivileges: set it");
	return 0;
}
