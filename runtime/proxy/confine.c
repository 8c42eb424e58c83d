#include "proxy/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "proxy/serve.h"

#define NOBODY 65534
#define FILES_MAX (3 * SERVE_CLIENTS_MAX + 64)
#define CALLS_MAX 64

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the proxy's filter knows x86_64 and aarch64"
#endif

/* Versions of Landlock's interface. */
#define NETWORK_VERSION 4
#define SCOPE_VERSION 6
#define SCOPE_ALL 3 /* abstract unix sockets, signals */
#define ALL_FILES_1 ((1ULL << 13) - 1)

/* ---- files and processes ---- */

static int drop_files(struct error *err)
{
	int version = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct sys_landlock_ruleset ruleset = { .files = ALL_FILES_1,
						      .net = version >= NETWORK_VERSION ? LANDLOCK_ACCESS_NET_BIND_TCP : 0,
						      .scoped = version >= SCOPE_VERSION ? SCOPE_ALL : 0 };
	AUTO_CLOSE int fd = -EBADF;

	/* The filter leaves no call that takes a path: this is the second lock, where there is one. */
	if (version < 1)
		return 0;
	fd = sys_landlock_create_ruleset(&ruleset, sys_landlock_ruleset_size(&ruleset), 0);
	if (fd < 0 || sys_landlock_restrict_self(fd, 0) < 0)
		return error_system(err, errno, "lock the egress proxy by Landlock");
	return 0;
}

/* ---- system calls ---- */

static const unsigned calls[] = {
	/* sockets that are there; socket(2) itself is below */
	__NR_accept4,
	__NR_connect,
	__NR_recvfrom,
	__NR_sendto,
	__NR_shutdown,
	__NR_getsockname,
	__NR_getsockopt,
	__NR_close,
	__NR_read,
	__NR_write,
	/* waiting */
	__NR_ppoll,
	__NR_clock_gettime,
	__NR_restart_syscall,
#ifdef __NR_poll
	__NR_poll,
#endif
	/* memory; mmap(2) is below */
	__NR_brk,
	__NR_munmap,
	__NR_mremap,
	__NR_madvise,
	__NR_futex,
	/* the rest of a life */
	__NR_getrandom,
	__NR_exit,
	__NR_exit_group,
	__NR_rt_sigreturn,
	__NR_getpid,
	__NR_gettid,
};

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define LOW(n) args[n]

/* Appends code that answers for `call` where the argument at offset, cut by mask, is one of two values, and refuses it otherwise. */
static size_t put_argument_rule(struct sock_filter *code, unsigned call, size_t offset, const unsigned values[static 3])
{
	const struct sock_filter rule[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, values[0]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[1], 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[2], 1, 0),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rule); i++)
		code[i] = rule[i];
	return ARRAY_SIZE(rule);
}

static size_t make_filter(struct sock_filter *code)
{
	static const unsigned families[] = { ~0U, AF_INET, AF_INET6 }, not_executable[] = { PROT_EXEC, 0, 0 };
	const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
	};
	size_t n = 0;

	for (; n < ARRAY_SIZE(head); n++)
		code[n] = head[n];
	n += put_argument_rule(code + n, __NR_socket, offsetof(struct seccomp_data, LOW(0)), families);
	n += put_argument_rule(code + n, __NR_mmap, offsetof(struct seccomp_data, LOW(2)), not_executable);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	/* Not a kill: nothing here needs it, and a libc that tries a newer call first goes on. */
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	return n;
}

static int drop_calls(struct error *err)
{
	struct sock_filter code[2 * CALLS_MAX + 32];
	struct sock_fprog program = { .filter = code };

	_Static_assert(ARRAY_SIZE(calls) <= CALLS_MAX, "the code has room for each");
	program.len = (unsigned short)make_filter(code);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return error_system(err, errno, "filter the egress proxy's system calls");
	return 0;
}

/* ---- descriptors, user, limits ---- */

/* kept_fds in order, and -1 behind them. */
static int next_kept(const int *kept_fds, size_t n_kept, int after)
{
	int next = -1;

	for (size_t i = 0; i < n_kept; i++) {
		if (kept_fds[i] > after && (next < 0 || kept_fds[i] < next))
			next = kept_fds[i];
	}
	return next;
}

static int drop_descriptors(const int *kept_fds, size_t n_kept, struct error *err)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int last = STDERR_FILENO, next;

	if (null_fd < 0)
		return error_system(err, errno, "open /dev/null");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (dup2(null_fd, fd) < 0)
			return error_system(err, errno, "dup2");
	}
	close_and_reset(&null_fd);
	do {
		next = next_kept(kept_fds, n_kept, last);
		if (next != last + 1 && sys_close_range((unsigned)last + 1, next < 0 ? ~0U : (unsigned)next - 1, 0) < 0)
			return error_system(err, errno, "close_range");
		last = next;
	} while (next >= 0);
	return 0;
}

/* Those that an ordinary user's brig was given as a file, or as ambient ones; a change of user takes root's away. */
static int drop_capabilities(struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &header, none) < 0 ? error_system(err, errno, "capset") : 0;
}

static int become_nobody(struct error *err)
{
	if (geteuid() != 0)
		return drop_capabilities(err);
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return error_system(err, errno, "become nobody");
	if (setresuid(0, 0, 0) == 0)
		return error_set(err, ERROR_INTERNAL, EPERM, "become nobody: root could be had back");
	return 0;
}

static int drop_limits(struct error *err)
{
	static const struct {
		int resource;
		rlim_t most;
	} limits[] = { { RLIMIT_NOFILE, FILES_MAX }, { RLIMIT_CORE, 0 }, { RLIMIT_FSIZE, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit limit = { limits[i].most, limits[i].most };

		if (setrlimit(limits[i].resource, &limit) < 0)
			return error_system(err, errno, "setrlimit");
	}
	return 0;
}

static int end_with(pid_t parent_pid, struct error *err)
{
	/* After the change of user, which takes it back (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_system(err, errno, "prctl");
	return getppid() == parent_pid ? 0 : error_set(err, ERROR_SYSTEM, ESRCH, "brig has ended");
}

int confine(pid_t parent_pid, const int *kept_fds, size_t n_kept, struct error *err)
{
	int rc = drop_descriptors(kept_fds, n_kept, err);

	if (rc >= 0)
		rc = become_nobody(err);
	if (rc >= 0)
		rc = drop_limits(err);
	if (rc >= 0)
		rc = end_with(parent_pid, err);
	if (rc >= 0)
		rc = drop_files(err);
	return rc < 0 ? rc : drop_calls(err);
}
