/* Which arguments tell one refused call from another of the same number. */
#include <linux/audit.h>

#include "audit/denials.h"

#define NONE UINT32_MAX
#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */
#define FIRST (1u << 0)
#define SECOND (1u << 1)
#define THIRD (1u << 2)

/* Pointers are of no use (random addresses would fill the table): here are the calls that a filter judges by their
 * arguments, or that are many calls in one. Source: the kernel's tables, arch/.../syscall.tbl. */
struct decisive {
	const char *name; /* for the reader, and the test against libseccomp's tables */
	unsigned arguments;
	uint32_t x86_64, i386, aarch64, arm;
};

static const struct decisive table[] = {
	{ "bpf", FIRST, 321, 357, 280, 386 },
	{ "clone", FIRST, 56, 120, 220, 120 },
	{ "ioctl", SECOND, 16, 54, 29, 54 },
	{ "ipc", FIRST, NONE, 117, NONE, NONE },
	{ "keyctl", FIRST, 250, 288, 219, 311 },
	{ "personality", FIRST, 135, 136, 92, 136 },
	{ "prctl", FIRST, 157, 172, 167, 172 },
	{ "ptrace", FIRST, 101, 26, 117, 26 },
	{ "seccomp", FIRST, 317, 354, 277, 383 },
	{ "setns", SECOND, 308, 346, 268, 375 },
	{ "socket", FIRST | SECOND | THIRD, 41, 359, 198, 281 },
	{ "socketcall", FIRST, NONE, 102, NONE, NONE },
	{ "socketpair", FIRST | SECOND | THIRD, 53, 360, 199, 288 },
	{ "syslog", FIRST, 103, 103, 116, 103 },
	{ "unshare", FIRST, 272, 310, 97, 337 },
	/* x32 has a few numbers of its own for what the rest shares with x86_64. */
	{ "ioctl", SECOND, X32_BIT | 514, NONE, NONE, NONE },
	{ "ptrace", FIRST, X32_BIT | 521, NONE, NONE, NONE },
};

static uint32_t number_of(const struct decisive *decisive, uint32_t architecture)
{
	switch (architecture) {
	case AUDIT_ARCH_X86_64:
		return decisive->x86_64;
	case AUDIT_ARCH_I386:
		return decisive->i386;
	case AUDIT_ARCH_AARCH64:
		return decisive->aarch64;
	case AUDIT_ARCH_ARM:
		return decisive->arm;
	}
	return NONE;
}

static bool is_x32(uint32_t architecture, uint32_t number)
{
	return architecture == AUDIT_ARCH_X86_64 && (number & X32_BIT) && number != UINT32_MAX;
}

unsigned denials_decisive_arguments(uint32_t architecture, uint32_t number)
{
	uint32_t plain = is_x32(architecture, number) && (number & ~X32_BIT) < 512 ? number & ~X32_BIT : number;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (plain != NONE && number_of(&table[i], architecture) == plain)
			return table[i].arguments;
	return 0;
}
