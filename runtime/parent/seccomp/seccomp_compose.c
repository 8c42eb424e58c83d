#include "parent/seccomp/seccomp_compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_fold.h"

#define LISTENER_FLAGS ((uint64_t)SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

/* To whatever the floor's listener is asked. */
#define LISTENERS_ANSWER ((uint32_t)SECCOMP_RET_ERRNO | EPERM)

/* An answer of config, and the copy of the floor in which it is weighed against the floor's. */
struct ending {
	uint32_t answer;
	size_t start;	  /* of the copy; 0: the floor has nothing stricter, or nothing else */
	uint32_t weighed; /* where start is 0: what is answered */
};

struct composition {
	const struct seccomp_program *floor;
	struct ending endings[SECCOMP_CODE_MAX]; /* config has no more answers than instructions */
	size_t n_endings;
	struct sock_filter out[2 * SECCOMP_CODE_MAX]; /* room for one more copy before it is folded */
	size_t n;
};

static uint32_t action_of(uint32_t answer)
{
	return answer & SECCOMP_RET_ACTION_FULL;
}

static bool is_return(const struct sock_filter *instruction)
{
	return instruction->code == (BPF_RET | BPF_K);
}

static bool is_known_action(uint32_t action)
{
	return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_TRAP ||
	       action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_USER_NOTIF || action == SECCOMP_RET_TRACE ||
	       action == SECCOMP_RET_LOG || action == SECCOMP_RET_ALLOW;
}

/* after: how many instructions follow. Nothing that would keep the kernel from knowing a constant answer beforehand gets
 * through: no scratch memory, no index register, no computed return. */
static bool is_sound(const struct sock_filter *instruction, size_t after)
{
	switch (instruction->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return instruction->k % sizeof(uint32_t) == 0 && instruction->k < sizeof(struct seccomp_data);
	case BPF_ALU | BPF_AND | BPF_K:
		return after > 0;
	case BPF_JMP | BPF_JA:
		return instruction->k < after;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return instruction->jt < after && instruction->jf < after;
	case BPF_RET | BPF_K:
		return is_known_action(action_of(instruction->k));
	}
	return false;
}

static int check(const struct seccomp_program *program, const char *name, struct error *err)
{
	const struct sock_filter *instructions = program->instructions;

	if (program->n == 0 || program->n > SECCOMP_CODE_MAX || !is_return(&instructions[program->n - 1]))
		return error_set(err, ERROR_INTERNAL, EINVAL, "the filter of %s (%zu instructions) has no end", name,
				 program->n);
	for (size_t i = 0; i < program->n; i++)
		if (!is_sound(&instructions[i], program->n - 1 - i))
			return error_set(err, ERROR_INTERNAL, EINVAL,
					 "the filter of %s: instruction %zu (code 0x%x, value 0x%x) is none of our "
					 "compiler's",
					 name, i, instructions[i].code, instructions[i].k);
	return 0;
}

static bool notifies(const struct seccomp_program *program)
{
	for (size_t i = 0; i < program->n; i++)
		if (is_return(&program->instructions[i]) &&
		    action_of(program->instructions[i].k) == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

/* The kernel clears the accumulator before a program, not before our copies of one. */
static bool starts_afresh(const struct seccomp_program *program)
{
	return is_return(&program->instructions[0]) || program->instructions[0].code == (BPF_LD | BPF_W | BPF_ABS);
}

/* Two listeners would be needed; the kernel has one. */
static int check_both(const struct seccomp_program *config, const struct seccomp_program *floor, struct error *err)
{
	int r = check(config, "config.json", err);

	if (r == 0)
		r = check(floor, "the floor", err);
	if (r == 0 && !starts_afresh(floor))
		return error_set(err, ERROR_INTERNAL, EINVAL, "the filter of the floor does not begin with a load");
	if (r == 0 && notifies(config) && notifies(floor))
		return error_set(err, ERROR_INTERNAL, EINVAL,
				 "both config.json's filter and the floor want to notify a listener");
	return r;
}

/* The floor's answer where config's was ending: the stricter one. The kernel orders actions as signed numbers. */
static uint32_t weigh(uint32_t floor_answer, uint32_t ending)
{
	uint32_t counts_as = action_of(floor_answer);

	/* Its listener refuses: not to be outweighed by anything that lets a call through. What reads the same to the program is counted. */
	if (counts_as == SECCOMP_RET_USER_NOTIF)
		counts_as = SECCOMP_RET_ERRNO;
	if (action_of(floor_answer) == SECCOMP_RET_USER_NOTIF && ending == LISTENERS_ANSWER)
		return floor_answer;
	return (int32_t)counts_as < (int32_t)action_of(ending) ? floor_answer : ending;
}

/* Where the floor has nothing to say against an answer, nothing is left of its copy but that answer. */
static int write_copy(struct composition *composition, struct ending *ending)
{
	struct sock_filter *copy = composition->out + composition->n;
	int length;

	memcpy(copy, composition->floor->instructions, composition->floor->n * sizeof(*copy));
	for (size_t i = 0; i < composition->floor->n; i++)
		if (is_return(&copy[i]))
			copy[i].k = weigh(copy[i].k, ending->answer);
	length = seccomp_fold(copy, composition->floor->n);
	if (length == 1) {
		ending->weighed = copy[0].k;
	} else if (length > 1) {
		ending->start = composition->n;
		composition->n += (size_t)length;
	}
	return length;
}

/* NULL: no memory. */
static const struct ending *find_ending(struct composition *composition, uint32_t answer)
{
	struct ending *ending;

	for (size_t i = 0; i < composition->n_endings; i++)
		if (composition->endings[i].answer == answer)
			return &composition->endings[i];
	ending = &composition->endings[composition->n_endings++];
	ending->answer = answer;
	return write_copy(composition, ending) < 0 ? NULL : ending;
}

/* A return is as long as a jump to a copy of the floor, whose distance has 32 bits: config's own jumps stay as they are. */
static int write_all(struct composition *composition, const struct seccomp_program *config, struct error *err)
{
	memcpy(composition->out, config->instructions, config->n * sizeof(*composition->out));
	composition->n = config->n;
	for (size_t i = 0; i < config->n; i++) {
		struct sock_filter *out = &composition->out[i];
		const struct ending *ending;

		if (!is_return(out))
			continue;
		/* The data of ALLOW means nothing; without it the kernel recognises a constant ALLOW. */
		ending = find_ending(composition, action_of(out->k) == SECCOMP_RET_ALLOW ? SECCOMP_RET_ALLOW : out->k);
		if (!ending)
			return error_memory(err);
		if (composition->n > SECCOMP_CODE_MAX)
			return error_set(err, ERROR_INVALID, E2BIG,
					 "config.json's filter with the floor needs more than %d instructions",
					 SECCOMP_CODE_MAX);
		if (ending->start > 0)
			*out = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(ending->start - i - 1));
		else
			out->k = ending->weighed;
	}
	return 0;
}

static uint64_t flags_of(const struct seccomp_program *config, const struct seccomp_program *floor)
{
	return config->flags | (floor->flags & LISTENER_FLAGS);
}

int seccomp_compose(const struct seccomp_program *config, const struct seccomp_program *floor,
		    struct seccomp_program *ret, struct error *err)
{
	AUTO_FREE struct composition *composition = calloc(1, sizeof(*composition));
	struct sock_filter *instructions;
	int r = check_both(config, floor, err);

	if (r < 0)
		return r;
	if (!composition)
		return error_memory(err);
	composition->floor = floor;
	r = write_all(composition, config, err);
	if (r < 0)
		return r;
	instructions = calloc(composition->n, sizeof(*instructions));
	if (!instructions)
		return error_memory(err);
	memcpy(instructions, composition->out, composition->n * sizeof(*instructions));
	*ret = (struct seccomp_program){
		.instructions = instructions,
		.n = composition->n,
		.flags = flags_of(config, floor),
	};
	return 0;
}

static void stack(struct seccomp_program *take_config, struct seccomp_program *take_floor, struct seccomp_program *ret)
{
	uint64_t listener = take_floor->flags & LISTENER_FLAGS;

	*ret = *take_config;
	ret->floor = steal_ptr(&take_floor->instructions);
	ret->n_floor = take_floor->n;
	ret->floor_flags = (take_config->flags & ~LISTENER_FLAGS) | listener;
	take_config->instructions = NULL;
}

int seccomp_compose_or_stack(struct seccomp_program *take_config, struct seccomp_program *take_floor,
			     struct seccomp_program *ret, struct error *err)
{
	int r = seccomp_compose(take_config, take_floor, ret, err);

	if (r == -E2BIG) {
		stack(take_config, take_floor, ret);
		r = 0;
	}
	if (r < 0)
		return r;
	seccomp_program_done(take_config);
	seccomp_program_done(take_floor);
	return 0;
}
