/* Programs that are no filters of ours: composing refuses them, and says where. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compose.h"

struct refused {
	const char *what;
	struct sock_filter first;
};

Test(seccomp_compose_refused, other_instructions_are_refused)
{
	static const struct refused cases[] = {
		{ "a store", BPF_STMT(BPF_ST, 0) },
		{ "a load from scratch memory", BPF_STMT(BPF_LD | BPF_MEM, 0) },
		{ "a load into X", BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0) },
		{ "a constant", BPF_STMT(BPF_LD | BPF_W | BPF_IMM, 0) },
		{ "a length", BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0) },
		{ "a transfer", BPF_STMT(BPF_MISC | BPF_TAX, 0) },
		{ "a computed return", BPF_STMT(BPF_RET | BPF_A, 0) },
		{ "an addition", BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1) },
		{ "an AND with X", BPF_STMT(BPF_ALU | BPF_AND | BPF_X, 1) },
		{ "a comparison with X", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0) },
		{ "a load of a byte", BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0) },
		{ "an odd offset", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2) },
		{ "a load beyond the data", BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64) },
		{ "a jump beyond the end", BPF_STMT(BPF_JMP | BPF_JA, 1) },
		{ "a jump backwards", BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX) },
		{ "a branch beyond the end", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0) },
		{ "another branch beyond the end", BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0, 0, 255) },
		{ "an unknown action", BPF_STMT(BPF_RET | BPF_K, 0x7ffe0000) },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const struct refused *refused = &cases[i / 2];
		struct sock_filter good = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		struct sock_filter bad[] = { refused->first, good };
		struct seccomp_program one = { .instructions = bad, .n = 2 }, other = { .instructions = &good, .n = 1 };
		struct seccomp_program both = { .n = 42 };
		struct error err = { 0 };

		cr_expect_eq(seccomp_compose(i % 2 ? &one : &other, i % 2 ? &other : &one, &both, &err), -EINVAL, "%s",
			     refused->what);
		cr_expect_not_null(strstr(err.message, "instruction 0"), "%s: %s", refused->what, err.message);
		cr_expect_eq(both.n, 42, "a failure must not touch its output");
	}
}

Test(seccomp_compose_refused, programs_without_an_end_are_refused)
{
	struct sock_filter code[SECCOMP_CODE_MAX + 1];
	struct seccomp_program good = { .instructions = code, .n = SECCOMP_CODE_MAX };
	struct seccomp_program none = { .instructions = code, .n = 0 };
	struct seccomp_program endless = { .instructions = code, .n = 1 };
	struct seccomp_program big = { .instructions = code, .n = SECCOMP_CODE_MAX + 1 };
	struct seccomp_program both = { .n = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(code); i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(seccomp_compose(&good, &good, &both, NULL), 0, "all of it strict: no copy is needed");
	cr_expect_eq(both.n, SECCOMP_CODE_MAX);
	seccomp_program_done(&both);
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	cr_expect_eq(seccomp_compose(&good, &none, &both, NULL), -EINVAL);
	cr_expect_eq(seccomp_compose(&none, &good, &both, NULL), -EINVAL);
	cr_expect_eq(seccomp_compose(&good, &endless, &both, NULL), -EINVAL);
	cr_expect_eq(seccomp_compose(&endless, &good, &both, NULL), -EINVAL);
	cr_expect_eq(seccomp_compose(&big, &good, &both, NULL), -EINVAL);
	cr_expect_eq(both.n, 0);
}

/* In the middle of a program the accumulator is not zero. */
Test(seccomp_compose_refused, a_floor_has_to_load_first)
{
	struct sock_filter code[] = { BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
				      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
				      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct seccomp_program program = { .instructions = code, .n = ARRAY_SIZE(code) }, both = { .n = 42 };
	struct error err = { 0 };

	cr_expect_eq(seccomp_compose(&program, &program, &both, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "begin with a load"), "%s", err.message);
	cr_expect_eq(both.n, 42);
}
