#include "parent/seccomp/seccomp_arch.h"

#include <stddef.h>

#include <seccomp.h>

#include "base/cleanup.h"

static const struct seccomp_arch architectures[] = {
	{ SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, "x86_64", true, SECCOMP_MULTIPLEX_NONE, 0 },
	/* The kernel shows an x32 call as one of x86_64 with a bit set in its number. */
	{ SCMP_ARCH_X32, AUDIT_ARCH_X86_64, "x32", false, SECCOMP_MULTIPLEX_NONE, SECCOMP_ARCH_X32_BIT },
	{ SCMP_ARCH_X86, AUDIT_ARCH_I386, "x86", false, SECCOMP_MULTIPLEX_X86, 0 },
	{ SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, "aarch64", true, SECCOMP_MULTIPLEX_NONE, 0 },
	{ SCMP_ARCH_ARM, AUDIT_ARCH_ARM, "arm", false, SECCOMP_MULTIPLEX_NONE, 0 },
	{ SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, "riscv64", true, SECCOMP_MULTIPLEX_NONE, 0 },
	{ SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, "ppc64le", true, SECCOMP_MULTIPLEX_PPC, 0 },
	{ SCMP_ARCH_PPC64, AUDIT_ARCH_PPC64, "ppc64", true, SECCOMP_MULTIPLEX_PPC, 0 },
	{ SCMP_ARCH_PPC, AUDIT_ARCH_PPC, "ppc", false, SECCOMP_MULTIPLEX_PPC, 0 },
	{ SCMP_ARCH_S390X, AUDIT_ARCH_S390X, "s390x", true, SECCOMP_MULTIPLEX_S390, 0 },
	{ SCMP_ARCH_S390, AUDIT_ARCH_S390, "s390", false, SECCOMP_MULTIPLEX_S390, 0 },
	{ SCMP_ARCH_MIPS, AUDIT_ARCH_MIPS, "mips", false, SECCOMP_MULTIPLEX_MIPS, 4000 },
	{ SCMP_ARCH_MIPSEL, AUDIT_ARCH_MIPSEL, "mipsel", false, SECCOMP_MULTIPLEX_MIPS, 4000 },
	{ SCMP_ARCH_MIPS64, AUDIT_ARCH_MIPS64, "mips64", true, SECCOMP_MULTIPLEX_NONE, 5000 },
	{ SCMP_ARCH_MIPSEL64, AUDIT_ARCH_MIPSEL64, "mipsel64", true, SECCOMP_MULTIPLEX_NONE, 5000 },
	{ SCMP_ARCH_MIPS64N32, AUDIT_ARCH_MIPS64N32, "mips64n32", false, SECCOMP_MULTIPLEX_NONE, 6000 },
	{ SCMP_ARCH_MIPSEL64N32, AUDIT_ARCH_MIPSEL64N32, "mipsel64n32", false, SECCOMP_MULTIPLEX_NONE, 6000 },
	{ SCMP_ARCH_PARISC, AUDIT_ARCH_PARISC, "parisc", false, SECCOMP_MULTIPLEX_NONE, 0 },
	{ SCMP_ARCH_PARISC64, AUDIT_ARCH_PARISC64, "parisc64", true, SECCOMP_MULTIPLEX_NONE, 0 },
};

const struct seccomp_arch *seccomp_arch_find(uint32_t token)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].token == token)
			return &architectures[i];
	return NULL;
}

const struct seccomp_arch *seccomp_arch_own(void)
{
	return seccomp_arch_find(seccomp_arch_native());
}

bool seccomp_arch_has_our_byte_order(const struct seccomp_arch *arch)
{
	return !!(arch->audit & __AUDIT_ARCH_LE) == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
}
