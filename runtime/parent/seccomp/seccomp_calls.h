/* From the name of a system call to its numbers on one architecture. libseccomp is the table; what is newer than it is in ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parent/seccomp/seccomp_arch.h"

struct seccomp_call {
	uint32_t number;   /* as seccomp_data.nr has it */
	bool multiplexed;  /* number is socketcall or ipc */
	uint32_t selector; /* where multiplexed: its first argument */
};

#define SECCOMP_CALLS_MAX 2

/* Fills ret with the ways to make the call: none where the architecture lacks it, two where it has a number of its own
 * and a selector. *ret_known: some architecture has a call of that name. Returns how many. Source: the tables of the
 * kernel, arch/.../syscall.tbl, by way of libseccomp; linux/net.h and linux/ipc.h for the selectors. */
size_t seccomp_calls_resolve(const struct seccomp_arch *arch, const char *name,
			     struct seccomp_call ret[static SECCOMP_CALLS_MAX], bool *ret_known);

#define SECCOMP_CALLS_NAME_MAX 48
/* The other way round, for people: the name of the call that the kernel showed as number on an architecture (AUDIT_ARCH_*), or
 * its number as text. Returns name. */
const char *seccomp_calls_name(uint32_t architecture, uint32_t number, char name[static SECCOMP_CALLS_NAME_MAX]);
