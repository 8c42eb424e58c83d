/* A small assembler for BPF: instructions, and jumps forward to labels. For the egress programs. */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Where a program can jump to, always forward. A label can be placed more than once: a jump goes to the next place of that name. */
enum egress_label {
	EGRESS_LABEL_ALLOW,
	EGRESS_LABEL_DENY,
	EGRESS_LABEL_V4,
	EGRESS_LABEL_V6,
	EGRESS_LABEL_TRANSPORT,
	EGRESS_LABEL_PORTS,
	EGRESS_LABEL_LISTED, /* look at the list */
	EGRESS_LABEL_PING,
	EGRESS_LABEL_DNS,
	EGRESS_LABEL_UNLISTED,
	EGRESS_LABEL_LOCAL, /* may pass as one to a socket of the same network namespace only */
	EGRESS_LABEL_NEXT,  /* rule */
	EGRESS_LABEL_OVER,  /* a few instructions */
	EGRESS_LABEL_DONE,
};

#define EGRESS_CODE_JUMPS_MAX 1024

struct egress_code {
	struct bpf_insn *insns;
	size_t n, capacity;
	struct {
		size_t at;
		enum egress_label to;
	} jumps[EGRESS_CODE_JUMPS_MAX]; /* to labels that are not placed yet */
	size_t n_jumps;
	bool is_broken; /* it had no room, or a label is missing */
};

/* Empty, with room for n instructions. -ENOMEM. */
int egress_code_init(struct egress_code *code, size_t n, struct arena *arena);
/* -EOVERFLOW: not fit to be loaded, which is our own mistake. */
int egress_code_check(const struct egress_code *code);

/* One instruction; off: of memory. */
void egress_code_emit(struct egress_code *code, unsigned opcode, unsigned dst, unsigned src, int32_t imm);
void egress_code_load(struct egress_code *code, unsigned size, unsigned dst, unsigned src, int off);
void egress_code_store(struct egress_code *code, unsigned size, unsigned dst, int off, unsigned src);
void egress_code_store_number(struct egress_code *code, unsigned size, unsigned dst, int off, int32_t number);
void egress_code_set(struct egress_code *code, unsigned dst, int32_t number);
void egress_code_copy(struct egress_code *code, unsigned dst, unsigned src);
/* A register becomes the address of that place on the stack. */
void egress_code_stack(struct egress_code *code, unsigned dst, int off);
void egress_code_call(struct egress_code *code, int helper);
/* A register becomes a map, or the place `off` in the only value of an array. */
void egress_code_map(struct egress_code *code, unsigned dst, int map_fd);
void egress_code_map_value(struct egress_code *code, unsigned dst, int map_fd, size_t off);
/* *(uint64_t *)(dst + off) += src, whoever else does so at the same time. */
void egress_code_add(struct egress_code *code, unsigned dst, int off, unsigned src);
/* Jumps where a register compares so (BPF_JEQ, BPF_JNE...) with a number, in 32 bits; BPF_JA: always. */
void egress_code_jump(struct egress_code *code, unsigned operation, unsigned dst, int32_t number, enum egress_label to);
/* The same in 64 bits: for pointers, and for times with a register. */
void egress_code_jump_wide(struct egress_code *code, unsigned operation, unsigned dst, int32_t number,
			   enum egress_label to);
/* Here the jumps to it arrive that were made so far. */
void egress_code_label(struct egress_code *code, enum egress_label label);
