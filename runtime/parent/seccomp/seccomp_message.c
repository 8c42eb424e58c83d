#include "parent/seccomp/seccomp_message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "parent/seccomp/seccomp_arch.h"
#include "parent/seccomp/seccomp_code.h"

#define FIRST_FREE 3		   /* of sendmsg's arguments */
#define WORDS 6			   /* of 32 bits, as a filter sees them */
#define PREFIX (4 + 2 * WORDS + 1) /* architecture and number, each word, the answer */

/* Goes on at the instruction after the prefix where value is another one. */
static struct sock_filter *demand(struct sock_filter *next, const struct sock_filter *end, uint32_t offset, uint32_t value)
{
	*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
	*next = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0);
	next->jf = (uint8_t)(end - next - 1);
	return next + 1;
}

static void write_prefix(struct sock_filter prefix[static PREFIX], const uint64_t *passphrase)
{
	struct sock_filter *next = prefix, *end = prefix + PREFIX;
	uint32_t words[WORDS];

	_Static_assert(sizeof(words) == sizeof(((struct seccomp_program *)0)->passphrase), "three arguments");

	memcpy(words, passphrase, sizeof(words));
	next = demand(next, end, offsetof(struct seccomp_data, arch), seccomp_arch_own()->audit);
	next = demand(next, end, offsetof(struct seccomp_data, nr), SYS_sendmsg);
	for (size_t i = 0; i < WORDS; i++)
		next = demand(next, end,
			      (uint32_t)(offsetof(struct seccomp_data, args[FIRST_FREE]) + i * sizeof(uint32_t)),
			      words[i]);
	*next = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

int seccomp_message_let_pass(struct seccomp_program *program, struct error *err)
{
	AUTO_FREE struct sock_filter *instructions = NULL;
	uint64_t passphrase[ARRAY_SIZE(program->passphrase)];

	if (program->n + PREFIX > SECCOMP_CODE_MAX)
		return error_set(
			err, ERROR_UNSUPPORTED, E2BIG,
			"the filter has %zu instructions, which leaves no room for those that let its listener out",
			program->n);
	if (getrandom(passphrase, sizeof(passphrase), 0) != sizeof(passphrase))
		return error_system(err, errno, "getrandom");
	instructions = calloc(program->n + PREFIX, sizeof(*instructions));
	if (!instructions)
		return error_memory(err);
	write_prefix(instructions, passphrase);
	memcpy(instructions + PREFIX, program->instructions, program->n * sizeof(*instructions));
	free(program->instructions);
	program->instructions = steal_ptr(&instructions);
	program->n += PREFIX;
	memcpy(program->passphrase, passphrase, sizeof(passphrase));
	program->has_passphrase = true;
	return 0;
}

int seccomp_message_send(const struct seccomp_program *program, int socket_fd, const void *data, size_t length,
			 int passed_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)data, .iov_len = length };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	const uint64_t *secret = program->passphrase;
	long sent;

	if (!program->has_passphrase)
		return fd_send(socket_fd, data, length, passed_fd);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	/* All of them as 64 bits: what lies above an int would be anything. */
	do
		sent = syscall(SYS_sendmsg, (long)socket_fd, &message, (long)MSG_NOSIGNAL, secret[0], secret[1],
			       secret[2]);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == length ? 0 : -EMSGSIZE;
}
