/* System calls and constants that glibc 2.36 or its kernel headers (6.1) lack. Wrappers return -1 and set errno, as libc's do. */
#pragma once

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

/* openat2(2) */
static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

/* clone3(2), without a stack: the child returns here, as after fork(2). */
static inline pid_t sys_clone3(const struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

/* mount_setattr(2) on a descriptor of a mount */
static inline int sys_mount_setattr(int mount_fd, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | flags, attr, sizeof(*attr));
}

/* pivot_root(2) */
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* pidfd_open(2), pidfd_send_signal(2): glibc has them, in a header that clashes with <sys/wait.h>'s P_PIDFD on some versions */
static inline int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/* The process group that it leads, also where that process itself has been reaped. EINVAL before Linux 6.9. */
static inline int sys_pidfd_signal_group(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, /* PIDFD_SIGNAL_PROCESS_GROUP= */ 4);
}

#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif

/* struct landlock_ruleset_attr as Linux 6.12 has it. */
struct sys_landlock_ruleset {
	uint64_t files;	 /* LANDLOCK_ACCESS_FS_* */
	uint64_t net;	 /* LANDLOCK_ACCESS_NET_*: version 4 of the interface, Linux 6.7 */
	uint64_t scoped; /* version 6 */
};

/* As much of it as a kernel has to know for what is asked. */
static inline size_t sys_landlock_ruleset_size(const struct sys_landlock_ruleset *ruleset)
{
	return ruleset->scoped ? sizeof(*ruleset) : ruleset->net ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

/* landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2) */
static inline int sys_landlock_create_ruleset(const struct sys_landlock_ruleset *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static inline int sys_landlock_add_rule(int ruleset_fd, enum landlock_rule_type type, const void *rule, unsigned flags)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, type, rule, flags);
}

static inline int sys_landlock_restrict_self(int ruleset_fd, unsigned flags)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, flags);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* sigaction(2) with SIG_DFL, for those two realtime signals as well that the library keeps to itself (nptl(7)): a caller may ignore them. */
static inline int sys_default_signal(int number)
{
	/* The kernel's structure: a handler, flags, an unused restorer and a mask, in an order of each architecture's own. */
	static const uint64_t by_default[4];

	return (int)syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(uint64_t));
}
