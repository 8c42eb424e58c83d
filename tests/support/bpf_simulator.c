#include "tests/support/bpf_simulator.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct machine {
	const struct seccomp_data *data;
	size_t n, position;
	uint32_t accumulator;
};

static int load(struct machine *machine, uint32_t offset)
{
	if (offset % sizeof(uint32_t) != 0 || offset > sizeof(*machine->data) - sizeof(uint32_t))
		return -EINVAL;
	memcpy(&machine->accumulator, (const char *)machine->data + offset, sizeof(uint32_t));
	return 0;
}

static int jump(struct machine *machine, uint64_t distance)
{
	if (distance >= machine->n - machine->position)
		return -EINVAL;
	machine->position += distance;
	return 0;
}

static int branch(struct machine *machine, const struct sock_filter *instruction)
{
	bool yes;

	switch (BPF_OP(instruction->code)) {
	case BPF_JEQ:
		yes = machine->accumulator == instruction->k;
		break;
	case BPF_JGT:
		yes = machine->accumulator > instruction->k;
		break;
	case BPF_JGE:
		yes = machine->accumulator >= instruction->k;
		break;
	case BPF_JSET:
		yes = (machine->accumulator & instruction->k) != 0;
		break;
	default:
		return -EINVAL;
	}
	return jump(machine, yes ? instruction->jt : instruction->jf);
}

/* Everything but returns. */
static int step(struct machine *machine, const struct sock_filter *instruction)
{
	machine->position++;
	if (instruction->code == (BPF_LD | BPF_W | BPF_ABS))
		return load(machine, instruction->k);
	if (instruction->code == (BPF_JMP | BPF_JA))
		return jump(machine, instruction->k);
	if (BPF_CLASS(instruction->code) == BPF_JMP && BPF_SRC(instruction->code) == BPF_K)
		return branch(machine, instruction);
	if (instruction->code != (BPF_ALU | BPF_AND | BPF_K))
		return -EINVAL;
	machine->accumulator &= instruction->k;
	return 0;
}

int bpf_simulator_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data,
		      uint32_t *ret_answer, size_t *ret_steps)
{
	struct machine machine = { .data = data, .n = n };

	for (size_t steps = 1; machine.position < n; steps++) {
		const struct sock_filter *instruction = &program[machine.position];

		if (instruction->code == (BPF_RET | BPF_K)) {
			*ret_answer = instruction->k;
			if (ret_steps)
				*ret_steps = steps;
			return 0;
		}
		if (step(&machine, instruction) < 0)
			return -EINVAL;
	}
	return -EINVAL;
}
