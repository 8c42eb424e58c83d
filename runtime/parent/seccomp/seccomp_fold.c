#include "parent/seccomp/seccomp_fold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct finding {
	bool constant, needed;
	uint16_t position; /* in the new program */
	uint32_t answer;   /* where constant */
};

static bool is_branch(const struct sock_filter *instruction)
{
	return BPF_CLASS(instruction->code) == BPF_JMP && instruction->code != (BPF_JMP | BPF_JA);
}

/* The one that follows where there is no choice. */
static size_t next_of(const struct sock_filter *program, size_t i)
{
	return i + 1 + (program[i].code == (BPF_JMP | BPF_JA) ? program[i].k : 0);
}

/* From the end to the start: jumps go forward. What an instruction does to the accumulator matters to branches only. */
static void find_constants(const struct sock_filter *program, size_t n, struct finding *findings)
{
	for (size_t i = n; i-- > 0;) {
		const struct sock_filter *instruction = &program[i];
		const struct finding *yes, *no;

		if (instruction->code == (BPF_RET | BPF_K)) {
			findings[i] = (struct finding){ .constant = true, .answer = instruction->k };
			continue;
		}
		yes = no = &findings[next_of(program, i)];
		if (is_branch(instruction)) {
			yes = &findings[i + 1 + instruction->jt];
			no = &findings[i + 1 + instruction->jf];
		}
		findings[i].constant = yes->constant && no->constant && yes->answer == no->answer;
		findings[i].answer = yes->answer;
	}
}

static void find_needed(const struct sock_filter *program, size_t n, struct finding *findings)
{
	findings[0].needed = true;
	for (size_t i = 0; i < n; i++) {
		if (!findings[i].needed || findings[i].constant)
			continue;
		if (is_branch(&program[i])) {
			findings[i + 1 + program[i].jt].needed = true;
			findings[i + 1 + program[i].jf].needed = true;
		} else {
			findings[next_of(program, i)].needed = true;
		}
	}
}

/* Distances only shrink, so that each still fits where it was. */
static struct sock_filter rewrite(const struct sock_filter *program, size_t i, const struct finding *findings)
{
	struct sock_filter instruction = program[i];
	size_t here = (size_t)findings[i].position + 1;

	if (findings[i].constant)
		return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, findings[i].answer);
	if (is_branch(&instruction)) {
		instruction.jt = (uint8_t)(findings[i + 1 + instruction.jt].position - here);
		instruction.jf = (uint8_t)(findings[i + 1 + instruction.jf].position - here);
	} else if (instruction.code == (BPF_JMP | BPF_JA)) {
		instruction.k = (uint32_t)(findings[next_of(program, i)].position - here);
	}
	return instruction;
}

int seccomp_fold(struct sock_filter *program, size_t n)
{
	AUTO_FREE struct finding *findings = calloc(n, sizeof(*findings));
	int length = 0;

	if (!findings)
		return -ENOMEM;
	find_constants(program, n, findings);
	find_needed(program, n, findings);
	for (size_t i = 0; i < n; i++) {
		findings[i].position = (uint16_t)length;
		length += findings[i].needed;
	}
	/* An instruction moves to the front only, to where nothing is looked at any more. */
	for (size_t i = 0; i < n; i++)
		if (findings[i].needed)
			program[findings[i].position] = rewrite(program, i, findings);
	return length;
}
