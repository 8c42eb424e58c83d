/* An assembler for classic BPF that writes from the end to the start: every jump goes forward, so that its target is there
 * before it is. The errors of all calls gather in one flag. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "base/arena.h"

#define SECCOMP_CODE_MAX 4096 /* BPF_MAXINSNS */

struct seccomp_code {
	struct sock_filter *reversed; /* [0] is the last instruction */
	size_t n;
	struct seccomp_code_place *places;
	size_t n_places;
	bool overflow; /* more than the kernel takes: what is there is of no use */
};

/* A point to jump to: an instruction, or a return, which is written where it is needed. */
struct seccomp_target {
	uint32_t place;
};

/* Room for SECCOMP_CODE_MAX instructions, in the arena. */
struct seccomp_code *seccomp_code_new(struct arena *arena); /* NULL: no memory */
/* SECCOMP_RET_* with its data. One place for each action: the instruction is written where a jump first needs it. */
struct seccomp_target seccomp_code_return(struct seccomp_code *code, uint32_t action);
/* What was written last, in other words the next instruction. */
struct seccomp_target seccomp_code_here(struct seccomp_code *code);
void seccomp_code_load(struct seccomp_code *code, uint32_t offset);
void seccomp_code_and(struct seccomp_code *code, uint32_t mask);
/* operation: BPF_JEQ, BPF_JGT or BPF_JGE, with the accumulator on the left and value on the right. */
void seccomp_code_branch(struct seccomp_code *code, uint16_t operation, uint32_t value, struct seccomp_target yes,
			 struct seccomp_target no);
/* Sees to it that whatever is written next runs on into target. */
void seccomp_code_continue(struct seccomp_code *code, struct seccomp_target target);
/* The finished program in its right order, owned by the caller; NULL: no memory. Not to be called after an overflow. */
struct sock_filter *seccomp_code_steal(const struct seccomp_code *code);
