#include "parent/seccomp/seccomp_calls.h"

#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_new_calls.h"

/* libseccomp answers with a pseudo number where a call can be made through a multiplexer, and keeps the direct number,
 * which newer kernels have as well, to itself. 0: there is none. */
struct multiplexed_call {
	const char *name;
	const char *through;
	uint32_t selector;
	uint16_t x86, s390, ppc;
};

static const struct multiplexed_call multiplexed_calls[] = {
	{ "socket", "socketcall", 1, 359, 359, 326 },
	{ "bind", "socketcall", 2, 361, 361, 327 },
	{ "connect", "socketcall", 3, 362, 362, 328 },
	{ "listen", "socketcall", 4, 363, 363, 329 },
	{ "accept", "socketcall", 5, 0, 0, 330 },
	{ "getsockname", "socketcall", 6, 367, 367, 331 },
	{ "getpeername", "socketcall", 7, 368, 368, 332 },
	{ "socketpair", "socketcall", 8, 360, 360, 333 },
	{ "send", "socketcall", 9, 0, 0, 334 },
	{ "recv", "socketcall", 10, 0, 0, 336 },
	{ "sendto", "socketcall", 11, 369, 369, 335 },
	{ "recvfrom", "socketcall", 12, 371, 371, 337 },
	{ "shutdown", "socketcall", 13, 373, 373, 338 },
	{ "setsockopt", "socketcall", 14, 366, 366, 339 },
	{ "getsockopt", "socketcall", 15, 365, 365, 340 },
	{ "sendmsg", "socketcall", 16, 370, 370, 341 },
	{ "recvmsg", "socketcall", 17, 372, 372, 342 },
	{ "accept4", "socketcall", 18, 364, 364, 344 },
	{ "recvmmsg", "socketcall", 19, 337, 357, 343 },
	{ "sendmmsg", "socketcall", 20, 345, 358, 349 },
	{ "semop", "ipc", 1, 0, 0, 0 },
	{ "semget", "ipc", 2, 393, 393, 393 },
	{ "semctl", "ipc", 3, 394, 394, 394 },
	{ "semtimedop", "ipc", 4, 0, 392, 392 },
	{ "msgsnd", "ipc", 11, 400, 400, 400 },
	{ "msgrcv", "ipc", 12, 401, 401, 401 },
	{ "msgget", "ipc", 13, 399, 399, 399 },
	{ "msgctl", "ipc", 14, 402, 402, 402 },
	{ "shmat", "ipc", 21, 397, 397, 397 },
	{ "shmdt", "ipc", 22, 398, 398, 398 },
	{ "shmget", "ipc", 23, 395, 395, 395 },
	{ "shmctl", "ipc", 24, 396, 396, 396 },
};

static uint32_t direct_number(const struct seccomp_arch *arch, const struct multiplexed_call *call)
{
	switch (arch->multiplexing) {
	case SECCOMP_MULTIPLEX_X86:
		return call->x86;
	case SECCOMP_MULTIPLEX_S390:
		return call->s390;
	case SECCOMP_MULTIPLEX_PPC:
		return call->ppc;
	case SECCOMP_MULTIPLEX_NONE:
	case SECCOMP_MULTIPLEX_MIPS:
		break;
	}
	return 0;
}

static size_t resolve_multiplexed(const struct seccomp_arch *arch, const char *name, struct seccomp_call *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(multiplexed_calls); i++) {
		const struct multiplexed_call *call = &multiplexed_calls[i];
		uint32_t direct = direct_number(arch, call);
		int through;
		size_t n = 0;

		if (strcmp(call->name, name) != 0)
			continue;
		through = seccomp_syscall_resolve_name_arch(arch->token, call->through);
		if (through >= 0)
			ret[n++] = (struct seccomp_call){ (uint32_t)through, true, call->selector };
		if (direct > 0)
			ret[n++] = (struct seccomp_call){ .number = direct };
		return n;
	}
	return 0;
}

size_t seccomp_calls_resolve(const struct seccomp_arch *arch, const char *name,
			     struct seccomp_call ret[static SECCOMP_CALLS_MAX], bool *ret_known)
{
	int number = seccomp_syscall_resolve_name_arch(arch->token, name);

	*ret_known = true;
	if (number >= 0) {
		ret[0] = (struct seccomp_call){ .number = (uint32_t)number };
		return 1;
	}
	if (number == __NR_SCMP_ERROR) {
		*ret_known = seccomp_new_calls_find(arch, name, &ret[0].number);
		ret[0].multiplexed = false;
		return *ret_known && ret[0].number != SECCOMP_NEW_CALLS_ELSEWHERE ? 1 : 0;
	}
	/* Every other negative number says "not here", or "here through a multiplexer". */
	if (arch->multiplexing == SECCOMP_MULTIPLEX_NONE)
		return 0;
	return resolve_multiplexed(arch, name, ret);
}

/* x32 shows itself as x86_64, with a bit in the number. */
static uint32_t token_of(uint32_t architecture, uint32_t number)
{
	return architecture == AUDIT_ARCH_X86_64 && number & SECCOMP_ARCH_X32_BIT ? SCMP_ARCH_X32 : architecture;
}

const char *seccomp_calls_name(uint32_t architecture, uint32_t number, char name[static SECCOMP_CALLS_NAME_MAX])
{
	uint32_t token = token_of(architecture, number);
	const struct seccomp_arch *arch = seccomp_arch_find(token);
	const char *found = arch ? seccomp_new_calls_name(arch, number) : NULL;
	AUTO_FREE char *resolved = NULL;

	if (!found && arch) {
		resolved = seccomp_syscall_resolve_num_arch(token, (int)number);
		found = resolved;
	}
	if (found)
		snprintf(name, SECCOMP_CALLS_NAME_MAX, "%s", found);
	else
		snprintf(name, SECCOMP_CALLS_NAME_MAX, "call %u of architecture 0x%x", number, architecture);
	return name;
}
