/* libFuzzer: two filters made one. What is composed answers each call with the stricter one of both answers; what is no
 * filter is refused. Input: a byte that says how many instructions are the floor's, then four bytes an instruction. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compose.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/seccomp_both.h"

#define INSTRUCTIONS_MAX 512
#define CALLS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last two are never ours. */
static const uint16_t codes[] = { BPF_LD | BPF_W | BPF_ABS,  BPF_RET | BPF_K,
				  BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGE | BPF_K,
				  BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JSET | BPF_K,
				  BPF_JMP | BPF_JA,	     BPF_ALU | BPF_AND | BPF_K,
				  BPF_RET | BPF_A,	     BPF_ST };
static const uint32_t actions[] = { SECCOMP_RET_ALLOW,	     SECCOMP_RET_LOG,	      SECCOMP_RET_TRACE,
				    SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_ERRNO,	      SECCOMP_RET_TRAP,
				    SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS };

static struct sock_filter decode(const uint8_t *bytes)
{
	struct sock_filter instruction = BPF_JUMP(codes[bytes[0] % ARRAY_SIZE(codes)], bytes[1], bytes[2], bytes[3]);

	if (instruction.code == (BPF_RET | BPF_K))
		instruction.k = actions[bytes[1] % ARRAY_SIZE(actions)] | (bytes[2] & 3u);
	return instruction;
}

/* Runs of programs that the kernel would take can't fail. */
static uint32_t run(const struct seccomp_program *program, const struct seccomp_data *call)
{
	uint32_t answer = 0;

	if (bpf_simulator_run(program->instructions, program->n, call, &answer, NULL) < 0)
		abort();
	return answer;
}

static void compare(const struct seccomp_program *config, const struct seccomp_program *floor,
		    const struct seccomp_program *both, uint64_t seed)
{
	struct seccomp_both_values values = { 0 };
	uint32_t answer, other;

	seccomp_both_collect(&values, config->instructions, config->n);
	seccomp_both_collect(&values, floor->instructions, floor->n);
	for (uint64_t i = 0; i < CALLS; i++) {
		struct seccomp_data call = { .nr = (int)(i & 7), .arch = (uint32_t)(i >> 3) };

		seccomp_both_arguments(&values, &seed, &call);
		if (run(both, &call) != seccomp_both_stricter(run(config, &call), run(floor, &call)))
			abort();
		if (seccomp_both_is_constant(config->instructions, config->n, call.nr, call.arch, &answer) &&
		    seccomp_both_is_constant(floor->instructions, floor->n, call.nr, call.arch, &other) &&
		    !seccomp_both_is_constant(both->instructions, both->n, call.nr, call.arch, &answer))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sock_filter instructions[INSTRUCTIONS_MAX];
	struct seccomp_program config = { .instructions = instructions }, floor = { 0 };
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program both = { 0 };
	size_t n = size / 4;

	if (size == 0 || n > INSTRUCTIONS_MAX)
		return 0;
	for (size_t i = 0; i < n && 4 * i + 5 <= size; i++)
		instructions[i] = decode(data + 1 + 4 * i);
	n = (size - 1) / 4;
	floor.n = n > 0 ? data[0] % n : 0;
	config.n = n - floor.n;
	floor.instructions = instructions + config.n;
	if (seccomp_compose(&config, &floor, &both, NULL) == 0)
		compare(&config, &floor, &both, /* seed= */ size * 0x9e3779b97f4a7c15 + data[0] + 1);
	return 0;
}
