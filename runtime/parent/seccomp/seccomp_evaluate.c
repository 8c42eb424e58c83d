#include "parent/seccomp/seccomp_evaluate.h"

#include <stdbool.h>
#include <string.h>

struct run {
	const struct sock_filter *next, *end;
	const struct seccomp_data *data;
	uint32_t accumulator;
};

static bool load(struct run *run, uint32_t offset)
{
	if (offset % sizeof(uint32_t) != 0 || offset >= sizeof(*run->data))
		return false;
	memcpy(&run->accumulator, (const char *)run->data + offset, sizeof(uint32_t));
	return true;
}

static bool jump(struct run *run, size_t distance)
{
	if (distance >= (size_t)(run->end - run->next))
		return false;
	run->next += distance;
	return true;
}

/* Returns false for what is none of ours. */
static bool step(struct run *run, const struct sock_filter *instruction)
{
	uint32_t value = run->accumulator, k = instruction->k;

	switch (instruction->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return load(run, k);
	case BPF_ALU | BPF_AND | BPF_K:
		run->accumulator &= k;
		return true;
	case BPF_JMP | BPF_JA:
		return jump(run, k);
	case BPF_JMP | BPF_JEQ | BPF_K:
		return jump(run, value == k ? instruction->jt : instruction->jf);
	case BPF_JMP | BPF_JGT | BPF_K:
		return jump(run, value > k ? instruction->jt : instruction->jf);
	case BPF_JMP | BPF_JGE | BPF_K:
		return jump(run, value >= k ? instruction->jt : instruction->jf);
	case BPF_JMP | BPF_JSET | BPF_K:
		return jump(run, value & k ? instruction->jt : instruction->jf);
	}
	return false;
}

static uint32_t evaluate(const struct sock_filter *instructions, size_t n, const struct seccomp_data *data)
{
	/* None at all is no place to count from. */
	struct run run = { .next = instructions, .end = n > 0 ? instructions + n : instructions, .data = data };

	while (run.next < run.end) {
		const struct sock_filter *instruction = run.next++;

		if (instruction->code == (BPF_RET | BPF_K))
			return instruction->k;
		if (!step(&run, instruction))
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* The kernel compares actions as signed numbers: KILL_PROCESS is the smallest. */
static int32_t rank(uint32_t answer)
{
	return (int32_t)(answer & SECCOMP_RET_ACTION_FULL);
}

uint32_t seccomp_evaluate(const struct seccomp_program *program, const struct seccomp_data *data)
{
	uint32_t answer = evaluate(program->instructions, program->n, data), beneath;

	if (program->n_floor == 0)
		return answer;
	beneath = evaluate(program->floor, program->n_floor, data);
	return rank(beneath) < rank(answer) ? beneath : answer;
}
