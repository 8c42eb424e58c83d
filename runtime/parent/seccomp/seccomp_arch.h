/* The architectures that a filter can speak of: what their calls are called for libseccomp and how the kernel shows them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How the old system calls for sockets and System V IPC come: by numbers of their own only, or also (or only) as
 * selectors of socketcall(2) and ipc(2). */
enum seccomp_multiplexing {
	SECCOMP_MULTIPLEX_NONE,
	SECCOMP_MULTIPLEX_X86,
	SECCOMP_MULTIPLEX_S390,
	SECCOMP_MULTIPLEX_PPC,
	SECCOMP_MULTIPLEX_MIPS, /* selectors only: o32's own numbers are not in our table */
};

struct seccomp_arch {
	uint32_t token; /* in the plan and for libseccomp: AUDIT_ARCH_*, but x32 has a token of its own */
	uint32_t audit; /* AUDIT_ARCH_*: seccomp_data.arch */
	const char *name;
	bool wide; /* arguments are compared in all their 64 bits, else in the lower 32 */
	enum seccomp_multiplexing multiplexing;
	uint32_t base; /* the number of call 0 */
};

/* The bit that tells an x32 call from one of x86_64 (__X32_SYSCALL_BIT). */
#define SECCOMP_ARCH_X32_BIT 0x40000000u

/* NULL: no architecture that we know. */
const struct seccomp_arch *seccomp_arch_find(uint32_t token);
/* That of this program. */
const struct seccomp_arch *seccomp_arch_own(void);
/* Calls of an architecture with the other byte order can't reach this kernel (and their arguments would lie the other way round). */
bool seccomp_arch_has_our_byte_order(const struct seccomp_arch *arch);
