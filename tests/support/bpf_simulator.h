/* Runs classic BPF as the kernel's seccomp does, on data that a test makes up. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* The answer of program to data. *ret_steps (may be NULL): instructions that were run. Returns 0, or -EINVAL for what the
 * kernel would not have taken: an unknown instruction, a jump or a load beyond the end, no return. */
int bpf_simulator_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data,
		      uint32_t *ret_answer, size_t *ret_steps);
