/* Which calls the filter beside Landlock refuses, by a simulator of it. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "child/tcp_filter.h"
#include "parent/seccomp/seccomp_evaluate.h"

#if defined(__x86_64__)
#define OWN AUDIT_ARCH_X86_64
#define COMPAT AUDIT_ARCH_I386
#define COMPAT_SOCKET 359
#define COMPAT_SENDTO 369
#define COMPAT_SENDMSG 370
#define COMPAT_SENDMMSG 345
#else
#define OWN AUDIT_ARCH_AARCH64
#define COMPAT AUDIT_ARCH_ARM
#define COMPAT_SOCKET 281
#define COMPAT_SENDTO 290
#define COMPAT_SENDMSG 296
#define COMPAT_SENDMMSG 374
#endif
#define REFUSED(code) (SECCOMP_RET_ERRNO | (code))
#define ALLOWED SECCOMP_RET_ALLOW

struct row {
	uint32_t architecture;
	int number;
	uint64_t arguments[4];
	uint32_t answer;
};

static const struct row rows[] = {
	{ OWN, SYS_socket, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 }, ALLOWED },
	{ OWN, SYS_socket, { AF_INET6, SOCK_STREAM, IPPROTO_TCP }, ALLOWED },
	{ OWN, SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, ALLOWED },
	{ OWN, SYS_socket, { AF_INET, SOCK_STREAM, 262 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, SYS_socket, { AF_INET6, SOCK_STREAM, 0xffffffff00000106 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, SYS_socket, { AF_INET, SOCK_STREAM, 256 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, SYS_socket, { AF_SMC, SOCK_STREAM, 0 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, SYS_socket, { 0xffffffff0000002b, SOCK_STREAM, 1 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, SYS_sendto, { 3, 0, 0, MSG_NOSIGNAL }, ALLOWED },
	{ OWN, SYS_sendto, { 3, 0, MSG_FASTOPEN, 0 }, ALLOWED },
	{ OWN, SYS_sendto, { 3, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL }, REFUSED(EACCES) },
	{ OWN, SYS_sendmsg, { 3, 0, MSG_FASTOPEN, 0 }, REFUSED(EACCES) },
	{ OWN, SYS_sendmsg, { 3, 0, 0, MSG_FASTOPEN }, ALLOWED },
	{ OWN, SYS_sendmmsg, { 3, 0, 1, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ OWN, SYS_sendmmsg, { 3, 0, 1, 0 }, ALLOWED },
	{ OWN, 425, { 8 }, REFUSED(EPERM) },
	{ OWN, SYS_connect, { 3 }, ALLOWED },
	{ OWN, SYS_read, { AF_SMC, 0, 262, MSG_FASTOPEN }, ALLOWED },
	{ COMPAT, COMPAT_SOCKET, { AF_INET, SOCK_STREAM, 262 }, REFUSED(EPROTONOSUPPORT) },
	{ COMPAT, COMPAT_SOCKET, { AF_INET, SOCK_STREAM, 6 }, ALLOWED },
	{ COMPAT, COMPAT_SENDTO, { 3, 0, 0, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ COMPAT, COMPAT_SENDMSG, { 3, 0, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ COMPAT, COMPAT_SENDMMSG, { 3, 0, 1, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ COMPAT, COMPAT_SENDTO, { 3 }, ALLOWED },
	{ COMPAT, 425, { 8 }, REFUSED(EPERM) },
#if defined(__x86_64__)
	{ COMPAT, 102, { 1 }, REFUSED(EACCES) },
	{ COMPAT, 102, { 3 }, ALLOWED },
	{ COMPAT, 102, { 11 }, REFUSED(EACCES) },
	{ COMPAT, 102, { 16 }, REFUSED(EACCES) },
	{ COMPAT, 102, { 20 }, REFUSED(EACCES) },
	{ OWN, 0x40000000 | SYS_socket, { AF_INET, SOCK_STREAM, 262 }, REFUSED(EPROTONOSUPPORT) },
	{ OWN, 0x40000000 | SYS_sendto, { 3, 0, 0, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ OWN, 0x40000000 | 518, { 3, 0, MSG_FASTOPEN }, REFUSED(EACCES) },
	{ OWN, 0x40000000 | 538, { 3, 0, 0, MSG_FASTOPEN }, REFUSED(EACCES) },
#endif
	{ AUDIT_ARCH_S390X, SYS_read, { 0 }, REFUSED(ENOSYS) },
};

Test(tcp_filter, refuses_what_landlock_does_not_see)
{
	struct sock_filter instructions[TCP_FILTER_MAX];
	const struct seccomp_program program = { .instructions = instructions, .n = tcp_filter_write(instructions) };

	cr_assert_leq(program.n, TCP_FILTER_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seccomp_data call = { .nr = rows[i].number, .arch = rows[i].architecture };

		for (size_t j = 0; j < ARRAY_SIZE(rows[i].arguments); j++)
			call.args[j] = rows[i].arguments[j];
		cr_expect_eq(seccomp_evaluate(&program, &call), rows[i].answer, "row %zu", i);
	}
}
