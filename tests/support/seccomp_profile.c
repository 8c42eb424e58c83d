#include "tests/support/seccomp_profile.h"

#include <errno.h>

#include <seccomp.h>

static const uint32_t architectures[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };

/* ---- an engine's default profile ---- */

/* One a line would be four hundred lines. */
/* clang-format off */
static const char *const ordinary_calls[] = {
	/* files */
	"access", "chdir", "chmod", "chown", "chown32", "close", "close_range", "copy_file_range", "creat",
	"dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate",
	"fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl",
	"fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat",
	"fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futimesat",
	"getcwd", "getdents", "getdents64", "getxattr", "inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "ioctl", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listxattr",
	"llistxattr", "_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "mkdir", "mkdirat",
	"mknod", "mknodat", "name_to_handle_at", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2",
	"pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink",
	"readlinkat", "readv", "removexattr", "rename", "renameat", "renameat2", "rmdir", "sendfile",
	"sendfile64", "setxattr", "splice", "stat", "stat64", "statfs", "statfs64", "statx", "symlink",
	"symlinkat", "sync", "sync_file_range", "syncfs", "tee", "truncate", "truncate64", "umask", "unlink",
	"unlinkat", "utime", "utimensat", "utimensat_time64", "utimes", "vmsplice", "write", "writev",
	/* memory */
	"brk", "cachestat", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
	"mincore", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync",
	"munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "process_mrelease",
	"remap_file_pages",
	/* processes, signals, identity */
	"alarm", "arch_prctl", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork",
	"get_robust_list", "get_thread_area", "getegid", "getegid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getgroups", "getgroups32", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
	"getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage", "getsid", "gettid",
	"getuid", "getuid32", "kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
	"modify_ldt", "pause", "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "process_vm_readv",
	"process_vm_writev", "ptrace", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "seccomp", "set_robust_list", "set_thread_area",
	"set_tid_address", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setpgid", "setpriority", "setregid", "setregid32", "setresgid", "setresgid32",
	"setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid", "setuid", "setuid32",
	"sigaltstack", "signalfd", "signalfd4", "sigprocmask", "sigreturn", "tgkill", "tkill", "ugetrlimit",
	"uname", "vfork", "wait4", "waitid", "waitpid",
	/* waiting and time */
	"clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime",
	"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "epoll_create", "epoll_create1",
	"epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd",
	"eventfd2", "futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake",
	"getitimer", "gettimeofday", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
	"io_pgetevents_time64", "io_setup", "io_submit", "ioprio_get", "ioprio_set", "nanosleep", "_newselect",
	"poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "select", "setitimer", "time",
	"timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
	"timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "times",
	/* scheduling, system */
	"getcpu", "getrandom", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
	"sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
	"sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
	"sched_setscheduler", "sched_yield", "sysinfo",
	/* sockets and System V IPC */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "ipc", "listen",
	"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
	"mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "recv", "recvfrom",
	"recvmmsg", "recvmmsg_time64", "recvmsg", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64",
	"send", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
	"socketcall", "socketpair",
	/* newer than libseccomp 2.5.4, and one that is nowhere */
	"statmount", "listmount", "getxattrat", "listxattrat", "a_call_of_the_future",
};
/* clang-format on */

static void add_rule(struct plan_seccomp *plan, struct plan_seccomp_rule rule)
{
	((struct plan_seccomp_rule *)plan->rules)[plan->n_rules++] = rule;
}

static void add_conditional(struct arena *arena, struct plan_seccomp *plan, const char *name,
			    struct plan_seccomp_arg condition)
{
	const char **names = arena_array_of(arena, 1, const char *);
	struct plan_seccomp_arg *args = arena_new_of(arena, struct plan_seccomp_arg);

	names[0] = name;
	*args = condition;
	add_rule(plan, (struct plan_seccomp_rule){ names, 1, SECCOMP_RET_ALLOW, args, 1 });
}

static struct plan_seccomp *new_plan(struct arena *arena, size_t n_rules)
{
	struct plan_seccomp *plan = arena_new_of(arena, struct plan_seccomp);

	plan->enabled = true;
	plan->default_action = SECCOMP_RET_ERRNO | EPERM;
	plan->architectures = architectures;
	plan->n_architectures = ARRAY_SIZE(architectures);
	plan->rules = arena_array_of(arena, n_rules, struct plan_seccomp_rule);
	return plan;
}

const struct plan_seccomp *seccomp_profile_engine(struct arena *arena)
{
	static const uint64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };
	static const char *const clone3[] = { "clone3" };
	struct plan_seccomp *plan = new_plan(arena, 16);

	add_rule(plan,
		 (struct plan_seccomp_rule){ ordinary_calls, ARRAY_SIZE(ordinary_calls), SECCOMP_RET_ALLOW, NULL, 0 });
	add_conditional(arena, plan, "socket", (struct plan_seccomp_arg){ 0, 40 /* AF_VSOCK */, 0, "SCMP_CMP_NE" });
	for (size_t i = 0; i < ARRAY_SIZE(personalities); i++)
		add_conditional(arena, plan, "personality",
				(struct plan_seccomp_arg){ 0, personalities[i], 0, "SCMP_CMP_EQ" });
	/* No new namespaces: none of the CLONE_NEW* flags. */
	add_conditional(arena, plan, "clone", (struct plan_seccomp_arg){ 0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ" });
	add_rule(plan, (struct plan_seccomp_rule){ clone3, 1, SECCOMP_RET_ERRNO | ENOSYS, NULL, 0 });
	return plan;
}

/* ---- random rules ---- */

uint64_t seccomp_profile_random_number(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t below(uint64_t *seed, size_t n)
{
	return (size_t)((seccomp_profile_random_number(seed) >> 11) % n);
}

static uint64_t rule_value(uint64_t *seed)
{
	static const uint64_t values[] = {
		0,	     1,		  2,	       40,	    0x7fffffff,		0x80000000,	    0xffffffff,
		0x100000000, 0x100000001, 0x1ffffffff, 0x200000000, 0x7fffffffffffffff, 0xffffffff00000000, UINT64_MAX
	};

	return values[below(seed, ARRAY_SIZE(values))];
}

uint64_t seccomp_profile_random_value(uint64_t *seed)
{
	uint64_t value = rule_value(seed);

	switch (below(seed, 8)) {
	case 0:
		return value + 1;
	case 1:
		return value - 1;
	case 2:
		return seccomp_profile_random_number(seed);
	case 3:
		return value ^ (1ull << below(seed, 64));
	default:
		return value;
	}
}

static uint32_t random_action(uint64_t *seed)
{
	static const uint32_t actions[] = { SECCOMP_RET_ALLOW,	     SECCOMP_RET_ALLOW,	     SECCOMP_RET_ALLOW,
					    SECCOMP_RET_ERRNO | 1,   SECCOMP_RET_ERRNO | 38, SECCOMP_RET_KILL_PROCESS,
					    SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,	     SECCOMP_RET_LOG,
					    SECCOMP_RET_TRACE | 1 };

	return actions[below(seed, ARRAY_SIZE(actions))];
}

static const char *random_name(uint64_t *seed)
{
	static const char *const names[] = { "read",	 "write",	"open",	   "close", "socket",  "connect",
					     "recvmmsg", "accept",	"send",	   "semop", "shmat",   "msgget",
					     "clone",	 "personality", "ioctl",   "futex", "chown32", "setxattr",
					     "recvfrom", "execve",	"openat2", "mseal", "statx",   "getpeername" };

	return names[below(seed, ARRAY_SIZE(names))];
}

static const struct plan_seccomp_arg *random_args(struct arena *arena, size_t n, uint64_t *seed)
{
	static const char *const operators[] = { "SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT",	    "SCMP_CMP_LE",
						 "SCMP_CMP_GT", "SCMP_CMP_GE", "SCMP_CMP_MASKED_EQ" };
	struct plan_seccomp_arg *args = arena_array_of(arena, n, struct plan_seccomp_arg);

	for (size_t i = 0; i < n; i++)
		args[i] = (struct plan_seccomp_arg){ (unsigned)below(seed, 3), rule_value(seed), rule_value(seed),
						     operators[below(seed, ARRAY_SIZE(operators))] };
	return args;
}

const struct plan_seccomp *seccomp_profile_random(struct arena *arena, uint64_t *seed)
{
	size_t n_rules = 1 + below(seed, 8);
	struct plan_seccomp *plan = new_plan(arena, n_rules);

	plan->default_action = random_action(seed);
	plan->n_architectures = below(seed, ARRAY_SIZE(architectures) + 1);
	for (size_t i = 0; i < n_rules; i++) {
		size_t n_names = 1 + below(seed, 3), n_args = below(seed, 4);
		const char **names = arena_array_of(arena, n_names, const char *);

		for (size_t k = 0; k < n_names; k++)
			names[k] = random_name(seed);
		add_rule(plan, (struct plan_seccomp_rule){ names, n_names, random_action(seed),
							   random_args(arena, n_args, seed), n_args });
	}
	return plan;
}
