#include "tests/support/seccomp_both.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/support/seccomp_profile.h"

/* ---- what is to come out ---- */

/* From the strictest on. */
static const uint32_t order[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
				  SECCOMP_RET_ERRNO,	    SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
				  SECCOMP_RET_LOG,	    SECCOMP_RET_ALLOW };

static size_t place_of(uint32_t answer)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(order) && order[i] != (answer & SECCOMP_RET_ACTION_FULL))
		i++;
	return i;
}

uint32_t seccomp_both_stricter(uint32_t config, uint32_t floor)
{
	size_t config_place = place_of(config), floor_place = place_of(floor);
	uint32_t answer;

	/* The listener's answer, which it counts as well. */
	if (floor_place == place_of(SECCOMP_RET_USER_NOTIF) && config == (SECCOMP_RET_ERRNO | EPERM))
		return floor;
	if (floor_place == place_of(SECCOMP_RET_USER_NOTIF))
		floor_place = place_of(SECCOMP_RET_ERRNO);
	answer = config_place <= floor_place ? config : floor;
	return place_of(answer) == place_of(SECCOMP_RET_ALLOW) ? SECCOMP_RET_ALLOW : answer;
}

static bool branches(const struct sock_filter *instruction, uint32_t accumulator)
{
	switch (BPF_OP(instruction->code)) {
	case BPF_JEQ:
		return accumulator == instruction->k;
	case BPF_JGE:
		return accumulator >= instruction->k;
	case BPF_JGT:
		return accumulator > instruction->k;
	}
	return (accumulator & instruction->k) != 0;
}

bool seccomp_both_is_constant(const struct sock_filter *program, size_t n, int nr, uint32_t arch, uint32_t *ret_answer)
{
	uint32_t accumulator = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *instruction = &program[i];

		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (instruction->k > offsetof(struct seccomp_data, arch))
				return false;
			accumulator = instruction->k == offsetof(struct seccomp_data, nr) ? (uint32_t)nr : arch;
			break;
		case BPF_RET | BPF_K:
			*ret_answer = instruction->k;
			return true;
		case BPF_JMP | BPF_JA:
			i += instruction->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			i += branches(instruction, accumulator) ? instruction->jt : instruction->jf;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= instruction->k;
			break;
		default:
			return false;
		}
	}
	return false;
}

/* ---- calls that tell ---- */

static void add_value(struct seccomp_both_values *values, size_t word, uint32_t value)
{
	for (size_t i = 0; i < values->n[word]; i++)
		if (values->values[word][i] == value)
			return;
	if (values->n[word] < SECCOMP_BOTH_VALUES)
		values->values[word][values->n[word]++] = value;
}

/* Good enough: what comes after a load is compared with it. */
void seccomp_both_collect(struct seccomp_both_values *values, const struct sock_filter *program, size_t n)
{
	size_t word = 0;

	for (size_t i = 0; i < n; i++) {
		if (program[i].code == (BPF_LD | BPF_W | BPF_ABS))
			word = program[i].k / sizeof(uint32_t);
		else if (BPF_CLASS(program[i].code) == BPF_JMP || BPF_CLASS(program[i].code) == BPF_ALU)
			add_value(values, word, program[i].k);
	}
}

static uint32_t pick(const struct seccomp_both_values *values, size_t word, uint64_t *seed)
{
	uint64_t random = seccomp_profile_random_number(seed) >> 8;
	uint32_t value = 0;

	if (values->n[word] > 0)
		value = values->values[word][random % values->n[word]];
	switch (random >> 16 & 15) {
	case 0:
		return value + 1;
	case 1:
		return value - 1;
	case 2:
		return ~value;
	case 3:
		return value ^ 1u << (random >> 32 & 31);
	case 4:
		return (uint32_t)(random >> 24);
	case 5:
		return UINT32_MAX;
	case 6:
	case 7:
		return 0;
	}
	return value;
}

void seccomp_both_arguments(const struct seccomp_both_values *values, uint64_t *seed, struct seccomp_data *data)
{
	size_t first = offsetof(struct seccomp_data, args) / sizeof(uint32_t);

	for (size_t i = first; i < SECCOMP_BOTH_WORDS; i++) {
		uint32_t word = pick(values, i, seed);

		memcpy((char *)data + i * sizeof(word), &word, sizeof(word));
	}
}

/* ---- random programs ---- */

static uint32_t below(uint64_t *seed, size_t n)
{
	return (uint32_t)((seccomp_profile_random_number(seed) >> 11) % n);
}

static uint32_t random_answer(bool may_notify, uint64_t *seed)
{
	uint32_t action = order[below(seed, ARRAY_SIZE(order))];

	if (below(seed, 3) == 0 || (action == SECCOMP_RET_USER_NOTIF && !may_notify))
		return SECCOMP_RET_ALLOW;
	return action | below(seed, 3);
}

static struct sock_filter random_branch(size_t after, uint64_t *seed)
{
	static const uint16_t operations[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	size_t reach = after < 256 ? after : 256;

	return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | operations[below(seed, 4)], below(seed, 8),
					    (uint8_t)below(seed, reach), (uint8_t)below(seed, reach));
}

static struct sock_filter random_instruction(size_t after, bool may_notify, uint64_t *seed)
{
	switch (below(seed, 8)) {
	case 0:
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * below(seed, SECCOMP_BOTH_WORDS));
	case 2:
		return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, below(seed, 16));
	case 3:
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, below(seed, after));
	case 4:
		return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, random_answer(may_notify, seed));
	}
	return random_branch(after, seed);
}

void seccomp_both_random_program(struct sock_filter *program, size_t n, bool may_notify, uint64_t *seed)
{
	for (size_t i = 0; i + 1 < n; i++)
		program[i] = random_instruction(n - 1 - i, may_notify, seed);
	program[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, random_answer(may_notify, seed));
}
