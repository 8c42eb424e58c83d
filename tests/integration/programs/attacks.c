/* First steps of known attacks, each harmless by itself. Arguments: their names, or none for all. Prints for each `NAME through`, or what
 * the kernel said. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AF_ALG
#define AF_ALG 38
#endif

static long alg_socket(void)
{
	return socket(AF_ALG, SOCK_SEQPACKET, 0);
}

/* The same by the 32-bit entry: 102 is socketcall there, 1 its call `socket`; the arguments have to lie below 4 GiB. */
static long alg_socketcall(void)
{
#ifdef __x86_64__
	static unsigned arguments[3] = { AF_ALG, SOCK_SEQPACKET, 0 };
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(102L), "b"(1L), "c"((long)arguments)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result >= 0)
		return (int)result;
	errno = -(int)result;
#else
	errno = ENOSYS;
#endif
	return -1;
}

static long vsock_socket(void)
{
	return socket(40, SOCK_STREAM, 0);
}

static long netfilter_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 12 /* NETLINK_NETFILTER */);
}

static long xfrm_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 6 /* NETLINK_XFRM */);
}

static long rds_socket(void)
{
	return socket(21, SOCK_SEQPACKET, 0);
}

static long can_socket(void)
{
	return socket(29, SOCK_RAW, 1 /* CAN_RAW */);
}

static long tipc_socket(void)
{
	return socket(30, SOCK_SEQPACKET, 0);
}

static long dccp_socket(void)
{
	return socket(AF_INET, 6 /* SOCK_DCCP */, 33 /* IPPROTO_DCCP */);
}

static long tcp_ulp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long result = setsockopt(fd, IPPROTO_TCP, 31 /* TCP_ULP */, "none", 4);
	int code = errno;

	close(fd);
	errno = code;
	return result;
}

/* A descriptor that is none: the filter answers before the kernel looks at it. */
static long tiocsti(void)
{
	return ioctl(-1, TIOCSTI, "x");
}

static long tiocsti_wide(void)
{
	return syscall(SYS_ioctl, -1L, 0x100000000L | TIOCSTI, "x");
}

static long tioclinux(void)
{
	return syscall(SYS_ioctl, -1L, 0xffffffff00000000L | TIOCLINUX, "\3");
}

/* The line discipline of a terminal: each is code of its own in the kernel. */
static long tiocsetd(void)
{
	const int plain = 0;

	return ioctl(-1, TIOCSETD, &plain);
}

/* As a child's: what it gets it takes with it. */
static long in_child(int flags)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) < 0 ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static long user_namespace(void)
{
	return in_child(CLONE_NEWUSER);
}

static long cgroup_namespace(void)
{
	return in_child(CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWNS);
}

/* EFAULT: it got as far as its arguments. */
static long reached(long result)
{
	return result < 0 && (errno == EFAULT || errno == EINVAL || errno == EBADF || errno == ENOKEY) ? 0 : result;
}

static long io_uring(void)
{
	return reached(syscall(SYS_io_uring_setup, 1, NULL));
}

static long bpf(void)
{
	return reached(syscall(SYS_bpf, -1, NULL, 0));
}

static long keyctl(void)
{
	return reached(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0));
}

static long perf(void)
{
	return reached(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static long open_by_handle(void)
{
	return reached(syscall(SYS_open_by_handle_at, -1, NULL, 0));
}

static long vmsplice_nowhere(void)
{
	return reached(syscall(SYS_vmsplice, -1, NULL, 0, 0));
}

/* Reads what there is of it; there is none on other machines. */
static long read_ldt(void)
{
#ifdef SYS_modify_ldt
	char entries[64];

	return reached(syscall(SYS_modify_ldt, 0, entries, sizeof(entries)));
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long move_no_pages(void)
{
	return reached(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
}

static long traceme(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static const struct {
	const char *name;
	long (*try)(void);
} attacks[] = {
	{ "alg-socket", alg_socket },
	{ "alg-socketcall", alg_socketcall },
	{ "vsock-socket", vsock_socket },
	{ "netfilter-socket", netfilter_socket },
	{ "xfrm-socket", xfrm_socket },
	{ "rds-socket", rds_socket },
	{ "can-socket", can_socket },
	{ "tipc-socket", tipc_socket },
	{ "dccp-socket", dccp_socket },
	{ "tcp-ulp", tcp_ulp },
	{ "tiocsti", tiocsti },
	{ "tiocsti-wide", tiocsti_wide },
	{ "tioclinux", tioclinux },
	{ "tiocsetd", tiocsetd },
	{ "user-namespace", user_namespace },
	{ "cgroup-namespace", cgroup_namespace },
	{ "io-uring", io_uring },
	{ "bpf", bpf },
	{ "keyctl", keyctl },
	{ "perf", perf },
	{ "open-by-handle", open_by_handle },
	{ "traceme", traceme },
	{ "vmsplice", vmsplice_nowhere },
	{ "modify-ldt", read_ldt },
	{ "move-pages", move_no_pages },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int wanted = argc == 1;
		long result;

		for (int k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], attacks[i].name) == 0;
		if (!wanted)
			continue;
		result = attacks[i].try();
		printf("%s %s\n", attacks[i].name, result >= 0 ? "through" : strerrorname_np(errno));
		fflush(stdout);
	}
	return 0;
}
