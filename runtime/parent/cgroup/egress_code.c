#include "parent/cgroup/egress_code.h"

#include <errno.h>
#include <string.h>

int egress_code_init(struct egress_code *code, size_t n, struct arena *arena)
{
	memset(code, 0, sizeof(*code));
	code->insns = arena_array_of(arena, n, struct bpf_insn);
	code->capacity = n;
	return code->insns ? 0 : -ENOMEM;
}

int egress_code_check(const struct egress_code *code)
{
	return code->is_broken || code->n_jumps > 0 ? -EOVERFLOW : 0;
}

static struct bpf_insn *next(struct egress_code *code)
{
	code->is_broken |= code->n == code->capacity;
	/* The last one is overwritten: nobody will load it. */
	return &code->insns[code->is_broken ? code->capacity - 1 : code->n++];
}

void egress_code_emit(struct egress_code *code, unsigned opcode, unsigned dst, unsigned src, int32_t imm)
{
	*next(code) =
		(struct bpf_insn){ .code = (uint8_t)opcode, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .imm = imm };
}

void egress_code_load(struct egress_code *code, unsigned size, unsigned dst, unsigned src, int off)
{
	*next(code) = (struct bpf_insn){ .code = (uint8_t)(BPF_LDX | BPF_MEM | size),
					 .dst_reg = dst & 0xf,
					 .src_reg = src & 0xf,
					 .off = (int16_t)off };
}

void egress_code_store(struct egress_code *code, unsigned size, unsigned dst, int off, unsigned src)
{
	*next(code) = (struct bpf_insn){ .code = (uint8_t)(BPF_STX | BPF_MEM | size),
					 .dst_reg = dst & 0xf,
					 .src_reg = src & 0xf,
					 .off = (int16_t)off };
}

void egress_code_store_number(struct egress_code *code, unsigned size, unsigned dst, int off, int32_t number)
{
	*next(code) = (struct bpf_insn){
		.code = (uint8_t)(BPF_ST | BPF_MEM | size), .dst_reg = dst & 0xf, .off = (int16_t)off, .imm = number
	};
}

void egress_code_set(struct egress_code *code, unsigned dst, int32_t number)
{
	egress_code_emit(code, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, number);
}

void egress_code_copy(struct egress_code *code, unsigned dst, unsigned src)
{
	egress_code_emit(code, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0);
}

void egress_code_stack(struct egress_code *code, unsigned dst, int off)
{
	egress_code_copy(code, dst, BPF_REG_10);
	egress_code_emit(code, BPF_ALU64 | BPF_ADD, dst, 0, off);
}

void egress_code_call(struct egress_code *code, int helper)
{
	egress_code_emit(code, BPF_JMP | BPF_CALL, 0, 0, helper);
}

void egress_code_map(struct egress_code *code, unsigned dst, int map_fd)
{
	egress_code_emit(code, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, map_fd);
	egress_code_emit(code, 0, 0, 0, 0);
}

void egress_code_map_value(struct egress_code *code, unsigned dst, int map_fd, size_t off)
{
	egress_code_emit(code, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, map_fd);
	egress_code_emit(code, 0, 0, 0, (int32_t)off);
}

void egress_code_add(struct egress_code *code, unsigned dst, int off, unsigned src)
{
	*next(code) = (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
					 .dst_reg = dst & 0xf,
					 .src_reg = src & 0xf,
					 .off = (int16_t)off,
					 .imm = BPF_ADD };
}

static void remember(struct egress_code *code, enum egress_label to)
{
	code->is_broken |= code->n_jumps == EGRESS_CODE_JUMPS_MAX;
	if (code->is_broken)
		return;
	code->jumps[code->n_jumps].at = code->n - 1;
	code->jumps[code->n_jumps++].to = to;
}

void egress_code_jump(struct egress_code *code, unsigned operation, unsigned dst, int32_t number, enum egress_label to)
{
	/* There is no JA of 32 bits before Linux 6.6. */
	egress_code_emit(code, (operation == BPF_JA ? BPF_JMP : BPF_JMP32) | operation | BPF_K, dst, 0, number);
	remember(code, to);
}

void egress_code_jump_wide(struct egress_code *code, unsigned operation, unsigned dst, int32_t number,
			   enum egress_label to)
{
	egress_code_emit(code, BPF_JMP | operation | BPF_K, dst, 0, number);
	remember(code, to);
}

void egress_code_label(struct egress_code *code, enum egress_label label)
{
	size_t kept = 0;

	for (size_t i = 0; i < code->n_jumps; i++) {
		size_t distance = code->n - code->jumps[i].at - 1;

		if (code->jumps[i].to != label) {
			code->jumps[kept++] = code->jumps[i];
			continue;
		}
		code->is_broken |= distance > INT16_MAX;
		code->insns[code->jumps[i].at].off = (int16_t)distance;
	}
	code->n_jumps = kept;
}
