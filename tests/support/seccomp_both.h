/* Two filters beside one that is to give the stricter of their answers: what it has to be, and calls that tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* The stricter of two answers, read plainly from the kernel's order; a notification of the floor's counts as an ERRNO. */
uint32_t seccomp_both_stricter(uint32_t config, uint32_t floor);

/* What the kernel finds out beforehand: the answer to call number nr, if it hangs on nothing else than the number and
 * the architecture. Source: seccomp_is_const_allow() in the kernel's kernel/seccomp.c, which gives up at what it does
 * not know. */
bool seccomp_both_is_constant(const struct sock_filter *program, size_t n, int nr, uint32_t arch, uint32_t *ret_answer);

/* Values that programs compare with, by the word of seccomp_data that they are compared to. */
#define SECCOMP_BOTH_WORDS (sizeof(struct seccomp_data) / sizeof(uint32_t))
#define SECCOMP_BOTH_VALUES 256
struct seccomp_both_values {
	uint32_t values[SECCOMP_BOTH_WORDS][SECCOMP_BOTH_VALUES];
	size_t n[SECCOMP_BOTH_WORDS];
};
void seccomp_both_collect(struct seccomp_both_values *values, const struct sock_filter *program, size_t n);
/* Fills in the arguments with such values, their neighbours, and others. *seed goes on. */
void seccomp_both_arguments(const struct seccomp_both_values *values, uint64_t *seed, struct seccomp_data *data);

/* A program of n instructions that the kernel would take, with any actions but, on request, notifications. */
void seccomp_both_random_program(struct sock_filter *program, size_t n, bool may_notify, uint64_t *seed);
