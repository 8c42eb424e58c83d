/* What makes a filter impossible, and the edges of the compiler. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "parent/seccomp/seccomp.h"
#include "parent/seccomp/seccomp_calls.h"
#include "tests/support/bpf_simulator.h"

static const char *const one_name[] = { "getppid" };

static int compile(const struct plan_seccomp *plan, struct seccomp_program *program, struct error *err)
{
	*err = (struct error){ 0 };
	return seccomp_program_get(plan, -EBADF, program, err);
}

/* What is asked of a plan, and what a refusal of it says. */
struct refused {
	uint32_t default_action, architecture;
	uint64_t flags;
	struct plan_seccomp_arg arg;
	int code;
	const char *text;
};

Test(seccomp_rules, impossible_plans_are_refused)
{
	static const struct refused cases[] = {
		{ SECCOMP_RET_USER_NOTIF, SCMP_ARCH_X86_64, 0, { 0, 0, 0, "SCMP_CMP_EQ" }, EINVAL, "defaultAction" },
		{ SECCOMP_RET_ALLOW, SCMP_ARCH_X86_64, 1 << 20, { 0, 0, 0, "SCMP_CMP_EQ" }, EINVAL, "linux.seccomp.flags" },
		{ SECCOMP_RET_ALLOW, SCMP_ARCH_X86_64, 0, { 6, 0, 0, "SCMP_CMP_EQ" }, EINVAL, "syscalls[0]: args[0]" },
		{ SECCOMP_RET_ALLOW, SCMP_ARCH_X86_64, 0, { 0, 0, 0, "SCMP_CMP_XX" }, EINVAL, "SCMP_CMP_XX" },
		{ SECCOMP_RET_ALLOW, SCMP_ARCH_X86_64, 0, { 0, 0, 0, NULL }, EINVAL, "(missing)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan_seccomp_rule rule = { one_name, 1, SECCOMP_RET_ERRNO | 1, &cases[i].arg, 1 };
		struct plan_seccomp plan = { .enabled = true,
					     .default_action = cases[i].default_action,
					     .architectures = &cases[i].architecture,
					     .n_architectures = 1,
					     .flags = cases[i].flags,
					     .rules = &rule,
					     .n_rules = 1 };
		struct seccomp_program program = { .n = 42 };
		struct error err;

		cr_expect_eq(compile(&plan, &program, &err), -cases[i].code, "case %zu: %s", i, err.message);
		cr_expect_not_null(strstr(err.message, cases[i].text), "case %zu: %s", i, err.message);
		cr_expect_eq(program.n, 42, "a failure must not touch its output");
	}
}

#define MANY 3000

/* args: MANY of them. Each alternative costs four instructions or so. */
static int compile_many(size_t n_rules, struct seccomp_program *program, struct error *err)
{
	static struct plan_seccomp_arg args[MANY];
	static struct plan_seccomp_rule rules[MANY];
	struct plan_seccomp plan = {
		.enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = rules, .n_rules = n_rules
	};

	for (size_t i = 0; i < n_rules; i++) {
		args[i] = (struct plan_seccomp_arg){ 1, 0x100000000 + i, 0, "SCMP_CMP_EQ" };
		rules[i] = (struct plan_seccomp_rule){ one_name, 1, SECCOMP_RET_ERRNO | (uint32_t)(i & 0xfff), &args[i],
						       1 };
	}
	return compile(&plan, program, err);
}

Test(seccomp_rules, more_than_the_kernel_takes_is_an_error)
{
	struct seccomp_program program = { 0 };
	struct error err;

	cr_expect_eq(compile_many(MANY, &program, &err), -E2BIG);
	cr_expect_not_null(strstr(err.message, "4096"), "%s", err.message);
}

Test(seccomp_rules, long_jumps_reach_their_end)
{
	struct seccomp_program program = { 0 };
	struct error err;
	uint32_t answer;

	cr_assert_eq(compile_many(700, &program, &err), 0, "%s", err.message);
	cr_expect_gt(program.n, 2000);
	for (uint64_t i = 0; i < 701; i++) {
		struct seccomp_data data = { .nr = seccomp_syscall_resolve_name("getppid"),
					     .arch = seccomp_arch_native(),
					     .args = { 0, 0x100000000 + i } };

		cr_assert_eq(bpf_simulator_run(program.instructions, program.n, &data, &answer, NULL), 0);
		cr_expect_eq(answer, i < 700 ? SECCOMP_RET_ERRNO | i : SECCOMP_RET_ALLOW);
	}
	seccomp_program_done(&program);
}

Test(seccomp_rules, nothing_asked_is_the_default_for_all)
{
	struct plan_seccomp plan = { .enabled = true, .default_action = SECCOMP_RET_LOG };
	struct seccomp_data data = { .nr = 1, .arch = seccomp_arch_native() };
	struct seccomp_program program = { 0 };
	struct error err;
	uint32_t answer;

	cr_assert_eq(compile(&plan, &program, &err), 0, "%s", err.message);
	cr_assert_eq(bpf_simulator_run(program.instructions, program.n, &data, &answer, NULL), 0);
	cr_expect_eq(answer, SECCOMP_RET_LOG);
	data.arch = 1;
	cr_assert_eq(bpf_simulator_run(program.instructions, program.n, &data, &answer, NULL), 0);
	cr_expect_eq(answer, SECCOMP_RET_KILL_THREAD);
	seccomp_program_done(&program);
}

/* The strictest of the rules with conditions, the first of those without. */
Test(seccomp_rules, precedence)
{
	static const struct plan_seccomp_arg small = { 0, 10, 0, "SCMP_CMP_LT" },
					     even = { 1, 1, 0, "SCMP_CMP_MASKED_EQ" };
	struct plan_seccomp_rule rules[] = {
		{ one_name, 1, SECCOMP_RET_LOG, &small, 1 },
		{ one_name, 1, SECCOMP_RET_ERRNO | 3, &even, 1 },
		{ one_name, 1, SECCOMP_RET_TRAP, NULL, 0 },
		{ one_name, 1, SECCOMP_RET_KILL_PROCESS, NULL, 0 },
	};
	struct plan_seccomp plan = { .enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = rules };
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name("getppid"), .arch = seccomp_arch_native() };
	static const uint32_t expected[] = { SECCOMP_RET_LOG, SECCOMP_RET_ERRNO | 3, SECCOMP_RET_TRAP, SECCOMP_RET_TRAP };

	for (plan.n_rules = 1; plan.n_rules <= 4; plan.n_rules++) {
		struct seccomp_program program = { 0 };
		struct error err;
		uint32_t answer;

		cr_assert_eq(compile(&plan, &program, &err), 0, "%s", err.message);
		cr_assert_eq(bpf_simulator_run(program.instructions, program.n, &data, &answer, NULL), 0);
		cr_expect_eq(answer, expected[plan.n_rules - 1], "%zu rules: 0x%x", plan.n_rules, answer);
		seccomp_program_done(&program);
	}
}

/* An architecture of the other byte order can't call here; the others of libseccomp's all compile. */
Test(seccomp_rules, every_architecture_compiles)
{
	static const uint32_t all[] = {
		SCMP_ARCH_X86,	   SCMP_ARCH_X86_64,   SCMP_ARCH_X32,	      SCMP_ARCH_ARM,
		SCMP_ARCH_AARCH64, SCMP_ARCH_MIPS,     SCMP_ARCH_MIPS64,      SCMP_ARCH_MIPS64N32,
		SCMP_ARCH_MIPSEL,  SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PPC,
		SCMP_ARCH_PPC64,   SCMP_ARCH_PPC64LE,  SCMP_ARCH_S390,	      SCMP_ARCH_S390X,
		SCMP_ARCH_PARISC,  SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64,     0xc0000102 /* loongarch64 */,
		SCMP_ARCH_X86
	};
	static const char *const names[] = { "socket", "accept", "semop", "read", "mseal", "statx" };
	struct plan_seccomp_rule rule = { names, ARRAY_SIZE(names), SECCOMP_RET_ALLOW, NULL, 0 };
	struct plan_seccomp plan = { .enabled = true,
				     .default_action = SECCOMP_RET_ERRNO | 1,
				     .architectures = all,
				     .n_architectures = ARRAY_SIZE(all),
				     .rules = &rule,
				     .n_rules = 1 };
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, "statx"),
				     .arch = SCMP_ARCH_AARCH64 };
	struct seccomp_program program = { 0 };
	struct error err;
	uint32_t answer;

	cr_assert_eq(compile(&plan, &program, &err), 0, "%s", err.message);
	cr_assert_eq(bpf_simulator_run(program.instructions, program.n, &data, &answer, NULL), 0);
	cr_expect_eq(answer, SECCOMP_RET_ALLOW);
	seccomp_program_done(&program);
}

/* Our table of direct numbers against libseccomp's names for numbers. */
Test(seccomp_rules, multiplexed_calls_have_the_right_numbers)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86, SCMP_ARCH_S390X, SCMP_ARCH_S390, SCMP_ARCH_PPC64LE,
					   SCMP_ARCH_PPC };
	size_t n_checked = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		const struct seccomp_arch *arch = seccomp_arch_find(tokens[i]);

		for (int number = 300; number < 420; number++) {
			char *name = seccomp_syscall_resolve_num_arch(tokens[i], number);
			struct seccomp_call calls[SECCOMP_CALLS_MAX];
			bool known, found = false;
			size_t n = name ? seccomp_calls_resolve(arch, name, calls, &known) : 0;

			for (size_t k = 0; k < n; k++)
				found = found || (!calls[k].multiplexed && calls[k].number == (uint32_t)number);
			cr_expect(!name || found, "%s is %d on %s", name, number, arch->name);
			n_checked += n == 2;
			free(name);
		}
	}
	cr_expect_gt(n_checked, 100);
}
