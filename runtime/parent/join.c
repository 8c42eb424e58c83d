#include "parent/join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/names.h"
#include "base/namespace.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "child/command_line.h"
#include "child/placement.h"
#include "child/steps.h"
#include "parent/idmap.h"
#include "parent/namespace_holder.h"

/* Less than malloc(3) makes a mapping of its own for, which costs two calls and pages. */
#define STACK_SIZE ((size_t)96 * 1024)

/* Those that we join ourselves, and leave again. */
static const uint64_t kinds_entered[] = { CLONE_NEWNET,	   CLONE_NEWIPC, CLONE_NEWUTS,
					  CLONE_NEWCGROUP, CLONE_NEWPID, CLONE_NEWTIME };

/* Where Kubernetes has it, or NULL: with the host's network comes its name. */
static const char *pod_field(uint64_t flag)
{
	if (flag == CLONE_NEWNET || flag == CLONE_NEWUTS)
		return "hostNetwork";
	if (flag == CLONE_NEWIPC)
		return "hostIPC";
	if (flag == CLONE_NEWPID)
		return "hostPID";
	return flag == CLONE_NEWUSER ? "hostUsers" : NULL;
}

static int refuse_the_hosts(const struct plan_namespace_join *join, struct error *err)
{
	const char *field = pod_field(join->flag);
	char pod[192] = "";

	if (field)
		snprintf(pod, sizeof(pod),
			 " (of a pod: %s is what asks for it; leave that out, or give the pod a runtime class whose policy has "
			 "that rule at warn or off)",
			 field);
	return error_set(err, ERROR_REFUSED, EPERM,
			 "linux.namespaces: %s is the host's own, in which nothing may be set (hostname, sysctl), whose "
			 "loopback brig.dev/egress would let through, and which rule host-namespace of a policy may "
			 "withhold: name another namespace%s",
			 join->path, pod);
}

static int open_one(const struct plan_namespace_join *join, struct error *err)
{
	AUTO_CLOSE int fd = namespace_open(join->path);

	if (fd == -EINVAL)
		return error_invalid(err, "linux.namespaces: %s is not a namespace file (such as /proc/PID/ns/net)",
				     join->path);
	if (fd < 0)
		return error_system(err, -fd, "linux.namespaces: open %s", join->path);
	if (ioctl(fd, NS_GET_NSTYPE) != (int)join->flag)
		return error_invalid(err, "linux.namespaces: %s is a namespace of another kind", join->path);
	if (join->not_the_hosts && namespace_is_own(fd, join->flag))
		return refuse_the_hosts(join, err);
	return steal_fd(&fd);
}

int join_open(const struct plan_namespaces *namespaces, bool privileged, struct join *ret, struct error *err)
{
	struct join join = { .userns_fd = -EBADF, .pid_fd = -EBADF, .container_fd = -EBADF, .made_fd = -EBADF };

	if (namespaces->n_join > JOIN_MAX)
		return error_invalid(err, "linux.namespaces: more than %d namespaces to join", JOIN_MAX);
	for (size_t i = 0; i < namespaces->n_join; i++) {
		join.fds[i] = open_one(&namespaces->join[i], err);
		if (join.fds[i] < 0) {
			join_done(&join);
			return -err->code;
		}
		join.n++;
		if (namespaces->join[i].least_id &&
		    idmap_check_least(join.fds[i], namespaces->join[i].least_id, err) < 0) {
			join_done(&join);
			return error_prefix(err, "linux.namespaces: %s", namespaces->join[i].path);
		}
		if (namespaces->join[i].flag == CLONE_NEWNET)
			join.sets_up_network = namespaces->low_ports && privileged &&
					       !namespace_is_own(join.fds[i], CLONE_NEWNET);
		if (namespaces->join[i].flag == CLONE_NEWUSER)
			join.userns_fd = join.fds[i];
		if (namespaces->join[i].flag == CLONE_NEWPID)
			join.pid_fd = join.fds[i];
		/* A pid namespace counts for children only. */
		join.by_child[i] = namespaces->join[i].flag == CLONE_NEWNS ||
				   (!privileged && namespaces->join[i].flag != CLONE_NEWPID);
	}
	*ret = join;
	return 0;
}

static int remember_own(struct join *join, uint64_t flag, struct error *err)
{
	const char *own = namespace_own_file(flag);

	if (!own || join->n_back == ARRAY_SIZE(join->back_fds))
		return error_set(err, ERROR_INTERNAL, EINVAL, "namespace %#llx can't be joined here",
				 (unsigned long long)flag);
	join->back_fds[join->n_back] = open(own, O_RDONLY | O_CLOEXEC);
	if (join->back_fds[join->n_back] < 0)
		return error_system(err, errno, "open %s", own);
	join->back_flags[join->n_back++] = (int)flag;
	return 0;
}

static int enter_owned(struct join *join, uint64_t kinds, pid_t pid, struct error *err)
{
	AUTO_CLOSE int pidfd = sys_pidfd_open(pid, 0);
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(kinds_entered); i++) {
		if (kinds & kinds_entered[i])
			rc = remember_own(join, kinds_entered[i], err);
	}
	if (rc >= 0 && kinds && (pidfd < 0 || setns(pidfd, (int)kinds) < 0))
		return error_system(err, errno, "join the namespaces of the new user namespace");
	return rc;
}

int join_owned(struct join *join, struct namespace_holder *holder, struct error *err)
{
	int rc;

	join->late = true;
	join->holder = holder;
	if (!holder)
		return 0;
	rc = namespace_holder_await_namespaces(holder, err);
	if (rc >= 0)
		rc = join->made_fd = join->userns_fd = idmap_open_namespace_of(namespace_holder_pid(holder), err);
	return rc < 0 ? rc
		      : enter_owned(join, namespace_holder_kinds(holder) & ~(uint64_t)CLONE_NEWUSER,
				    namespace_holder_pid(holder), err);
}

/* A time namespace is refused to whose memory a second process has, as the holder does until its end (time_namespaces(7), EUSERS). */
static int end_holder(struct join *join, struct error *err)
{
	int rc = join->holder ? namespace_holder_await_end(join->holder, err) : 0;

	namespace_holder_end(join->holder);
	return rc;
}

int join_enter(struct join *join, const struct plan_namespaces *namespaces, struct error *err)
{
	int rc;

	for (size_t i = 0; i < join->n; i++) {
		uint64_t flag = namespaces->join[i].flag;

		if (join->by_child[i] || flag == CLONE_NEWUSER ||
		    (flag == CLONE_NEWPID && join->userns_fd >= 0 && !join->late))
			continue;
		rc = flag == CLONE_NEWTIME ? end_holder(join, err) : 0;
		if (rc >= 0)
			rc = remember_own(join, flag, err);
		if (rc < 0)
			return rc;
		if (setns(join->fds[i], (int)flag) < 0)
			return error_system(err, errno, "linux.namespaces: join %s", namespaces->join[i].path);
	}
	return 0;
}

void join_container(struct join *join, int container_fd, uint64_t enter, bool privileged)
{
	join->container_fd = container_fd;
	/* Left to the child: a time namespace, which is refused to processes that share their memory, as the intermediate does; a
	 * cgroup namespace, out of which a tree with nsdelegate lets nobody clone into a group (cgroups(7)); the user namespace
	 * where we have privileges over the others without it. */
	join->enter = enter & ~(uint64_t)(CLONE_NEWTIME | CLONE_NEWCGROUP | (privileged ? CLONE_NEWUSER : 0));
}

int join_leave(struct join *join, struct error *err)
{
	while (join->n_back > 0) {
		join->n_back--;
		if (setns(join->back_fds[join->n_back], join->back_flags[join->n_back]) < 0)
			return error_system(err, errno, "return to our own namespaces");
		close_and_reset(&join->back_fds[join->n_back]);
	}
	return 0;
}

void join_done(struct join *join)
{
	struct error ignored;

	join_leave(join, &ignored);
	if (join->late)
		close_and_reset(&join->made_fd);
	for (size_t i = 0; i < join->n; i++)
		close_and_reset(&join->fds[i]);
	join->n = 0;
}

struct intermediate {
	const struct join *join;
	struct clone_args args;
	struct child *child;
	pid_t pid;
	int code; /* errno of what failed, 0: nothing did */
	const char *what;
};

static int fail(struct intermediate *intermediate, const char *what)
{
	intermediate->code = errno;
	intermediate->what = what;
	return 1;
}

/* Shares our memory; we are suspended until it ends (as with vfork). Its descriptors are its own, so that the container's
 * process is born with those alone that its steps need: in the container's pid namespace a neighbour with CAP_SYS_PTRACE could
 * look at them before any step has run (CVE-2016-9962). */
__attribute__((no_sanitize("address"))) static int intermediate_process(void *data)
{
	struct intermediate *intermediate = data;
	const struct join *join = intermediate->join;
	/* By us and not by the parent, or clone3 would tell the child's number in there. Host root may join what the host's user
	 * namespace owns until it takes on another one; an ordinary user may only after that. */
	bool in_pid = join->pid_fd < 0 || setns(join->pid_fd, CLONE_NEWPID) == 0;
	struct error err;

	if (join->userns_fd >= 0 && setns(join->userns_fd, CLONE_NEWUSER) < 0)
		return fail(intermediate, "join the user namespace");
	if (join->enter && setns(join->container_fd, (int)join->enter) < 0)
		return fail(intermediate, "join the container's namespaces");
	if (!in_pid && setns(join->pid_fd, CLONE_NEWPID) < 0)
		return fail(intermediate, "join the pid namespace");
	/* It passes them on to the child, until that one's group has a say (CLONE_INTO_CGROUP). */
	if (placement_set_cpus(&intermediate->child->plan->process.first_cpus) < 0)
		return fail(intermediate, "process.execCPUAffinity.initial: set the processors");
	if (descriptors_close(intermediate->child, &err) < 0)
		return fail(intermediate, "close descriptors");
	intermediate->pid = sys_clone3(&intermediate->args);
	if (intermediate->pid == 0) {
		intermediate->child->cgroup_fd = -EBADF;
		child_main(intermediate->child);
	}
	return intermediate->pid < 0 ? fail(intermediate, "clone3") : 0;
}

static pid_t fail_clone(const struct clone_args *args, int code, struct error *err)
{
	if (code == EPERM && args->flags & CLONE_NEWUSER)
		return error_set(err, ERROR_UNSUPPORTED, EPERM,
				 "clone3: the kernel refuses to make a user namespace: are we in a chroot, or is "
				 "user.max_user_namespaces 0?");
	/* A container's default, around brig: without CAP_SYS_ADMIN, and with a filter to which this call is an unknown one. */
	if (code == EPERM)
		return error_set(
			err, ERROR_UNSUPPORTED, EPERM,
			"clone3: Operation not permitted: namespaces take CAP_SYS_ADMIN where brig is root; give it that "
			"capability, or run it as an ordinary user");
	if (code == ENOSYS)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "clone3: a system call filter around brig (a container's?) refuses it: run brig outside of "
				 "it, or with a filter that lets clone3 and mounts through");
	/* cgroups(7), delegation: it takes the right to write cgroup.procs of the group that we and the container's have above us. */
	if (code == EACCES && args->flags & CLONE_INTO_CGROUP)
		return error_set(
			err, ERROR_SYSTEM, EACCES,
			"clone3: no process of our cgroup may be put into the container's: Permission denied; for "
			"an ordinary user, start brig from his own systemd: systemd-run --user --scope brig ...");
	return error_system(err, code, "clone3");
}

/* A child that has no descriptor of its own can't be waited for as the others are. */
static pid_t end_child(pid_t pid, int code, struct error *err)
{
	kill(pid, SIGKILL);
	reap_child(pid);
	return error_system(err, code, "pidfd_open");
}

static pid_t clone_by_intermediate(struct intermediate *intermediate, struct error *err)
{
	AUTO_FREE char *stack = aligned_alloc(16, STACK_SIZE);
	int pidfd;
	pid_t pid;

	if (!stack)
		return error_memory(err);
	/* A pidfd would be in the descriptors of the intermediate. clone3(2) takes no exit signal together with CLONE_PARENT: the child has
	 * that of the process that makes it, SIGCHLD below (copy_process in the kernel's fork.c), and is waited for as any other. */
	intermediate->args.flags = (intermediate->args.flags & ~(uint64_t)CLONE_PIDFD) | CLONE_PARENT;
	intermediate->args.exit_signal = 0;
	pid = clone(intermediate_process, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, intermediate);
	if (pid < 0)
		return error_system(err, errno, "clone an intermediate process");
	reap_child(pid);
	if (intermediate->code && strcmp(intermediate->what, "clone3") == 0)
		return fail_clone(&intermediate->args, intermediate->code, err);
	if (intermediate->code)
		return error_system(err, intermediate->code, "%s", intermediate->what);
	/* It is our child: nobody else can have its number before we reap it. */
	pidfd = sys_pidfd_open(intermediate->pid, 0);
	if (pidfd < 0)
		return end_child(intermediate->pid, errno, err);
	*(int *)(uintptr_t)intermediate->args.pidfd = pidfd;
	return intermediate->pid;
}

pid_t join_clone(const struct join *join, const struct clone_args *args, struct child *child, struct error *err)
{
	struct intermediate intermediate = { .join = join, .child = child, .args = *args };
	__attribute__((cleanup(command_line_show_cleanup))) struct command_line own;
	pid_t pid;

	if (command_line_hide(child->role == CHILD_EXEC ? "exec" : "init", &own, err) < 0)
		return -err->code;
	if ((join->userns_fd >= 0 && !join->late) || join->enter)
		return clone_by_intermediate(&intermediate, err);
	pid = sys_clone3(args);
	if (pid == 0)
		child_main(child);
	return pid < 0 ? fail_clone(args, errno, err) : pid;
}
