#include "child/tcp_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Landlock (7, Linux 6.18) looks at connect(2) and bind(2) of plain TCP. It does not see a connection that begins with the first message
 * (TCP Fast Open), nor what speaks TCP under another name: multipath TCP and SMC, which fall back to it. Programs of io_uring make the
 * same calls where no filter sees them. */
#define NUMBER_IO_URING_SETUP 425 /* on each machine */
#define PROTOCOL_SMC 256
#define PROTOCOL_MPTCP 262

/* The lower half: both machines are little-endian. */
#define LOAD_ARGUMENT(index) LOAD(offsetof(struct seccomp_data, args) + (index) * sizeof(uint64_t))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (yes), (no))
#define IF_ANY(mask, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(mask), (yes), (no))
#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The accumulator has the call's number before each, and after it unless it was that call. */
#define IS_REFUSED(number) IF_EQUAL(number, 0, 1), REFUSE(EPERM)
#define SENDS(number, flags) \
	IF_EQUAL(number, 0, 4), LOAD_ARGUMENT(flags), IF_ANY(MSG_FASTOPEN, 0, 1), REFUSE(EACCES), ALLOW
/* With the error of a kernel that has no such thing: programs try TCP then. */
#define MAKES_SOCKET(number)                                                                \
	IF_EQUAL(number, 0, 7), LOAD_ARGUMENT(0), IF_EQUAL(AF_SMC, 4, 0), LOAD_ARGUMENT(2), \
		IF_EQUAL(PROTOCOL_MPTCP, 2, 0), IF_EQUAL(PROTOCOL_SMC, 1, 0), ALLOW, REFUSE(EPROTONOSUPPORT)
/* socketcall(2) has its arguments in memory: SYS_SOCKET, SYS_SENDTO, SYS_SENDMSG, SYS_SENDMMSG. C libraries try the calls first. */
#define IS_SOCKETCALL(number)                                                                                \
	IF_EQUAL(number, 0, 7), LOAD_ARGUMENT(0), IF_EQUAL(1, 4, 0), IF_EQUAL(11, 3, 0), IF_EQUAL(16, 2, 0), \
		IF_EQUAL(20, 1, 0), ALLOW, REFUSE(EACCES)

struct block {
	uint32_t architecture;
	const struct sock_filter *checks;
	size_t n;
};

#if defined(__x86_64__)
#define X32_BIT 0x40000000u

static const struct sock_filter own[] = {
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~X32_BIT),
	MAKES_SOCKET(41),
	SENDS(44, 3),
	SENDS(46, 2),
	SENDS(307, 3),
	SENDS(518, 2), /* x32's sendmsg and sendmmsg */
	SENDS(538, 3),
	IS_REFUSED(NUMBER_IO_URING_SETUP),
	ALLOW,
};
static const struct sock_filter compat[] = {
	MAKES_SOCKET(359),
	SENDS(369, 3),
	SENDS(370, 2),
	SENDS(345, 3),
	IS_SOCKETCALL(102),
	IS_REFUSED(NUMBER_IO_URING_SETUP),
	ALLOW,
};
static const struct block blocks[] = {
	{ AUDIT_ARCH_X86_64, own, ARRAY_SIZE(own) },
	{ AUDIT_ARCH_I386, compat, ARRAY_SIZE(compat) },
};
#elif defined(__aarch64__)
static const struct sock_filter own[] = {
	MAKES_SOCKET(198), SENDS(206, 3), SENDS(211, 2), SENDS(269, 3), IS_REFUSED(NUMBER_IO_URING_SETUP), ALLOW,
};
static const struct sock_filter compat[] = {
	MAKES_SOCKET(281), SENDS(290, 3), SENDS(296, 2), SENDS(374, 3), IS_REFUSED(NUMBER_IO_URING_SETUP), ALLOW,
};
static const struct block blocks[] = {
	{ AUDIT_ARCH_AARCH64, own, ARRAY_SIZE(own) },
	{ AUDIT_ARCH_ARM, compat, ARRAY_SIZE(compat) },
};
#else
static const struct block blocks[] = { 0 };
#endif

size_t tcp_filter_write(struct sock_filter program[static TCP_FILTER_MAX])
{
	static const struct sock_filter load_architecture = LOAD(offsetof(struct seccomp_data, arch)),
					load_number = LOAD(offsetof(struct seccomp_data, nr)), unknown = REFUSE(ENOSYS);
	size_t n = 0;

	program[n++] = load_architecture;
	for (size_t i = 0; i < ARRAY_SIZE(blocks) && blocks[i].n > 0; i++) {
		const struct sock_filter other = IF_EQUAL(blocks[i].architecture, 0, (uint8_t)(blocks[i].n + 1));

		program[n++] = other;
		program[n++] = load_number;
		memcpy(&program[n], blocks[i].checks, blocks[i].n * sizeof(*program));
		n += blocks[i].n;
	}
	program[n++] = unknown;
	return n;
}

int tcp_filter_install(struct error *err)
{
	struct sock_filter program[TCP_FILTER_MAX];
	struct sock_fprog filter = { .len = (unsigned short)tcp_filter_write(program), .filter = program };

	if (blocks[0].n == 0)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the filter that goes with it is written for x86_64 and aarch64 only");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		return error_system(err, errno, "install the filter that goes with it");
	return 0;
}
