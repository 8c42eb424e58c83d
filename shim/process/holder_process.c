#include "shim/process/holder_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/syscalls.h"

#define SOCKET_FD 0
#define NOBODY 65534
#define SYSCTL_NAME_MAX 256

/* Names of the kernel's tables that belong to a namespace. Source: kernel/sysctl of net/, ipc/, kernel/utsname_sysctl.c. */
static const struct {
	const char *prefix;
	bool is_whole;
	unsigned namespace;
} owners[] = {
	{ "net.", false, CLONE_NEWNET },
	{ "fs.mqueue.", false, CLONE_NEWIPC },
	{ "kernel.shm", false, CLONE_NEWIPC },
	{ "kernel.msg", false, CLONE_NEWIPC },
	{ "kernel.sem", true, CLONE_NEWIPC },
	{ "kernel.domainname", true, CLONE_NEWUTS },
	{ "kernel.sem_next_id", true, CLONE_NEWIPC },
};

/* It becomes a path below /proc/sys, with '/' for each '.': nothing in it may lead out of there. */
static bool is_plain(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return !name[length] && length < SYSCTL_NAME_MAX && !strstr(name, "..") &&
	       (length > 0 && name[length - 1] != '.');
}

int holder_check_sysctl(const char *name, unsigned namespaces, struct error *err)
{
	if (!is_plain(name))
		return error_invalid(err, "sysctl \"%.100s\": not a name like net.ipv4.ip_forward", name);
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		bool is_it = owners[i].is_whole ? strcmp(name, owners[i].prefix) == 0
						: strncmp(name, owners[i].prefix, strlen(owners[i].prefix)) == 0;

		if (is_it && namespaces & owners[i].namespace)
			return 0;
	}
	return error_set(
		err, ERROR_REFUSED, EPERM,
		"sysctl %s: in this pod it is the host's; give the pod a namespace of its own for it, or set it on the host",
		name);
}

/* Of the namespaces that this process is in: /proc/sys shows each reader its own (namespaces(7)). */
static int write_sysctl(const struct holder_sysctl *sysctl, struct error *err)
{
	char path[SYSCTL_NAME_MAX + 16];
	int r;

	snprintf(path, sizeof(path), "/proc/sys/%s", sysctl->name);
	for (char *at = path + strlen("/proc/sys/"); *at; at++)
		*at = *at == '.' ? '/' : *at;
	r = fd_write_file_at(AT_FDCWD, path, sysctl->value);
	return r < 0 ? error_system(err, -r, "sysctl %s", sysctl->name) : 0;
}

static void send_message(const struct holder_message *message, int passed_fd)
{
	fd_send(SOCKET_FD, message, sizeof(*message), passed_fd);
}

/* The new user namespace's root, which is nobody outside: as whom else could its namespaces be made? */
static int enter_owner(int network_fd, struct error *err)
{
	AUTO_CLOSE int user_fd = ioctl(network_fd, NS_GET_USERNS);
	struct stat theirs, ours;

	if (user_fd < 0)
		return error_system(err, errno, "find the user namespace of the network namespace");
	if (fstat(user_fd, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return error_system(err, errno, "stat the user namespaces");
	if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		return error_set(err, ERROR_UNSUPPORTED, ENOSYS,
				 "the pod is to have a user namespace, and its network namespace belongs to the host's: "
				 "let both be made together, as CRI does");
	if (setns(user_fd, CLONE_NEWUSER) < 0)
		return error_system(err, errno, "enter the user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_system(err, errno, "become root of the user namespace");
	return 0;
}

/* The network namespace while we are root of the one that owns it, the owner after it. */
static int enter(const struct holder_options *options, struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;

	if (!options->network_path)
		return 0;
	fd = open(options->network_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_system(err, errno, "open network namespace %.200s", options->network_path);
	if (setns(fd, CLONE_NEWNET) < 0)
		return error_system(err, errno, "enter network namespace %.200s", options->network_path);
	return options->with_network_owner ? enter_owner(fd, err) : 0;
}

/* Before anything is dropped: both need privileges over the namespaces. */
static int set_up(const struct holder_options *options, struct error *err)
{
	if (options->hostname && *options->hostname && sethostname(options->hostname, strlen(options->hostname)) < 0)
		return error_system(err, errno, "set the host name %.64s", options->hostname);
	for (size_t i = 0; i < options->n_sysctls; i++) {
		int r = write_sysctl(&options->sysctls[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int become_nobody(bool is_in_pod, struct error *err)
{
	if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return 0;
	/* A pod's user namespace need not have that number: then its root stays, with nothing that makes it one. */
	return is_in_pod ? 0 : error_system(err, errno, "become nobody");
}

/* After this it has no privileges, and can't be looked into by those who are as little as it is. */
static int drop_all(bool is_in_pod, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_system(err, errno, "set no_new_privs");
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return error_system(err, errno, "drop capability %lu", capability);
	}
	r = become_nobody(is_in_pod, err);
	if (r < 0)
		return r;
	if (syscall(SYS_capset, &header, none) < 0)
		return error_system(err, errno, "drop all capabilities");
	if (chdir("/") < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_system(err, errno, "become undumpable");
	return 0;
}

/* As process 1 of a namespace it is sent no signal from inside that it has no handler for, and reaps what is left to it. */
static void take_no_signals(void)
{
	const struct sigaction reap_at_once = { .sa_handler = SIG_IGN, .sa_flags = SA_NOCLDWAIT };
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, signal == SIGCHLD ? &reap_at_once : &by_default, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void hold(const struct holder_options *options)
{
	struct holder_message message = { 0 };
	int r = set_up(options, &message.error);
	char byte;

	prctl(PR_SET_NAME, "brig-pod");
	take_no_signals();
	if (r == 0)
		r = drop_all(options->with_network_owner, &message.error);
	if (r == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		r = error_system(&message.error, errno, "enter seccomp's strict mode");
	/* write, read and exit are what that mode leaves; exit_group, which is _exit, is not among them. */
	if (write(SOCKET_FD, &message, sizeof(message)) < 0 || r < 0)
		syscall(SYS_exit, 1);
	/* Nobody writes: the other end is closed by holder_free, or by the shim's death. */
	while (read(SOCKET_FD, &byte, 1) > 0) {}
	syscall(SYS_exit, 0);
	__builtin_unreachable();
}

/* CLONE_PARENT: the shim's child at once, which the maker's end does not concern. Its exit signal is the maker's (parent/join.c). */
static int clone_holder(const struct holder_options *options, struct holder_message *message, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_PARENT | options->namespaces,
		.pidfd = (uintptr_t)ret_pidfd,
	};
	pid_t pid = sys_clone3(&args);

	if (pid == 0)
		hold(options);
	if (pid < 0)
		return error_system(&message->error, errno, "make its process");
	message->pid = pid;
	return 0;
}

void holder_process_make(const struct holder_options *options, int socket_fd)
{
	struct holder_message message = { .is_of_maker = true };
	int pidfd = -EBADF, r;

	/* From here on there is this one descriptor. */
	if (dup2(socket_fd, SOCKET_FD) < 0 || sys_close_range(SOCKET_FD + 1, ~0U, 0) < 0)
		return;
	r = enter(options, &message.error);
	if (r == 0)
		clone_holder(options, &message, &pidfd);
	send_message(&message, pidfd);
}
