/* System calls that are newer than libseccomp 2.5.4: the kernel gives them the same number on nearly every architecture. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parent/seccomp/seccomp_arch.h"

#define SECCOMP_NEW_CALLS_ELSEWHERE UINT32_MAX

/* Finds name in the table. *ret_number (untouched if not found): its number, or SECCOMP_NEW_CALLS_ELSEWHERE where
 * architectures other than arch have it. Source: scripts/syscall.tbl and arch/x86/entry/syscalls of Linux 6.19. */
bool seccomp_new_calls_find(const struct seccomp_arch *arch, const char *name, uint32_t *ret_number);
/* The name of the call that has number on arch, or NULL. */
const char *seccomp_new_calls_name(const struct seccomp_arch *arch, uint32_t number);
