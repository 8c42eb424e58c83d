/* From a plan to a program, without any cache: libseccomp's tables, our code. */
#pragma once

#include "parent/seccomp/seccomp.h"

/* Of the code that is made of one and the same plan: to be raised with each change that shows in it. */
#define SECCOMP_COMPILE_VERSION 3

/* As seccomp_program_get, always anew. */
int seccomp_compile(const struct plan_seccomp *plan, struct seccomp_program *ret, struct error *err);
/* The flags for seccomp(2) that plan comes to. Errors: EINVAL for a flag that we don't know. */
int seccomp_compile_flags(const struct plan_seccomp *plan, uint64_t *ret_flags, struct error *err);
