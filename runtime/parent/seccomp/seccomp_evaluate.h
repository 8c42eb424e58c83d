/* What a filter answers to one call, found out without making it. */
#pragma once

#include <stdint.h>
#include <linux/seccomp.h>

#include "parent/seccomp/seccomp.h"

/* The answer (SECCOMP_RET_* with its data) of program and, where it has one beside it, of its floor: the stricter one, as the kernel
 * has it. What no compiler of ours writes, and a program without an end, is answered with KILL_PROCESS. */
uint32_t seccomp_evaluate(const struct seccomp_program *program, const struct seccomp_data *data);
