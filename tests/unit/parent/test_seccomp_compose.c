/* Two filters as one, in the simulator: each answer is the stricter one of both. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <linux/capability.h>
#include <seccomp.h>

#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_compose.h"
#include "parent/seccomp/seccomp_evaluate.h"
#include "parent/seccomp/seccomp_floor.h"
#include "parent/seccomp/seccomp_floor_compile.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/rounds.h"
#include "tests/support/seccomp_both.h"
#include "tests/support/seccomp_profile.h"

#define X32_BIT 0x40000000u

struct subject {
	struct seccomp_program config, floor, both;
	struct seccomp_both_values values;
	size_t n_compared, n_from_config, n_from_floor, n_constant;
};

static uint64_t first_seed(void)
{
	const char *text = getenv("BRIG_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 0x2545f4914f6cdd1d;

	printf("seccomp_compose: BRIG_TEST_SEED=0x%llx\n", (unsigned long long)seed);
	return seed;
}

static uint32_t run(const struct seccomp_program *program, const struct seccomp_data *data)
{
	uint32_t answer = 0;

	cr_assert_eq(bpf_simulator_run(program->instructions, program->n, data, &answer, NULL), 0);
	return answer;
}

static void check(struct subject *subject, const struct seccomp_data *data)
{
	uint32_t config = run(&subject->config, data), floor = run(&subject->floor, data);
	uint32_t expected = seccomp_both_stricter(config, floor), answer = run(&subject->both, data);

	cr_assert_eq(answer, expected, "arch %x nr %x args %llx %llx %llx: 0x%x and 0x%x made 0x%x instead of 0x%x",
		     data->arch, data->nr, data->args[0], data->args[1], data->args[2], config, floor, answer, expected);
	subject->n_compared++;
	subject->n_from_config += answer == config && answer != floor;
	subject->n_from_floor += answer == floor && answer != config;
}

static bool is_constant(const struct seccomp_program *program, const struct seccomp_data *data, uint32_t *ret_answer)
{
	return seccomp_both_is_constant(program->instructions, program->n, data->nr, data->arch, ret_answer);
}

/* What the kernel lets through without a run of either is let through without a run of the composed one. */
static bool check_constant(struct subject *subject, const struct seccomp_data *data)
{
	uint32_t config = 0, floor = 0, both = 0;
	bool constant = is_constant(&subject->config, data, &config) && is_constant(&subject->floor, data, &floor);

	if (!constant)
		return false;
	cr_assert(is_constant(&subject->both, data, &both), "arch %x nr %x hangs on arguments", data->arch, data->nr);
	/* With whatever data. */
	cr_assert_eq(both == SECCOMP_RET_ALLOW, config >> 16 == SECCOMP_RET_ALLOW >> 16 && config >> 16 == floor >> 16);
	subject->n_constant += both == SECCOMP_RET_ALLOW;
	return true;
}

static void probe(struct subject *subject, uint32_t arch, uint32_t nr, uint64_t *seed)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };
	int n = check_constant(subject, &data) ? 2 : 100;

	check(subject, &data);
	for (int i = 0; i < n; i++) {
		seccomp_both_arguments(&subject->values, seed, &data);
		check(subject, &data);
	}
}

static void sweep(struct subject *subject, uint64_t *seed)
{
	static const uint32_t arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64,
					   SCMP_ARCH_ARM,    SCMP_ARCH_X32, 0,
					   UINT32_MAX };
	static const uint32_t edges[] = { 0x1000,     0x3fffffff, 0x40001000, 0x7fffffff, 0x80000000,
					  0xbfffffff, 0xc0000000, 0xc0000010, 0xfffffffe, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		for (uint32_t nr = 0; nr <= 600; nr++) {
			probe(subject, arches[i], nr, seed);
			probe(subject, arches[i], X32_BIT + nr, seed);
		}
		/* ARM's private ones. */
		for (uint32_t nr = 0xf0000; nr <= 0xf0020; nr++)
			probe(subject, arches[i], nr, seed);
		for (size_t k = 0; k < ARRAY_SIZE(edges); k++)
			probe(subject, arches[i], edges[k], seed);
	}
}

/* Computed returns and scratch memory would turn the kernel's cache of answers off. */
static void check_kinds(const struct seccomp_program *program)
{
	for (size_t i = 0; i < program->n; i++) {
		uint16_t code = program->instructions[i].code;

		cr_assert(code == (BPF_LD | BPF_W | BPF_ABS) || code == (BPF_RET | BPF_K) ||
				  code == (BPF_ALU | BPF_AND | BPF_K) || code == (BPF_JMP | BPF_JA) ||
				  (BPF_CLASS(code) == BPF_JMP && BPF_SRC(code) == BPF_K),
			  "instruction %zu has code 0x%x", i, code);
	}
}

static void compile(const struct plan_seccomp *plan, struct seccomp_program *program)
{
	struct error err = { 0 };

	cr_assert_eq(seccomp_compile(plan, program, &err), 0, "%s", err.message);
}

/* Takes the programs that are in subject. */
static int compose(struct subject *subject)
{
	struct error err = { 0 };
	int r = seccomp_compose(&subject->config, &subject->floor, &subject->both, &err);

	cr_assert(r == 0 || r == -E2BIG, "%s", err.message);
	if (r == 0)
		check_kinds(&subject->both);
	seccomp_both_collect(&subject->values, subject->config.instructions, subject->config.n);
	seccomp_both_collect(&subject->values, subject->floor.instructions, subject->floor.n);
	return r;
}

static void subject_done(struct subject *subject)
{
	seccomp_program_done(&subject->config);
	seccomp_program_done(&subject->floor);
	seccomp_program_done(&subject->both);
}

/* ---- compiled filters ---- */

/* An engine's profile in which some of what is allowed is answered in other ways, and arguments decide about more calls. */
static const struct plan_seccomp *floor_plan(struct arena *arena)
{
	static const char *const refused[] = { "socket", "ptrace", "seccomp", "memfd_create", "openat2" };
	static const char *const ioctl_name[] = { "ioctl" }, *const logged[] = { "chown", "fchownat" };
	static const struct plan_seccomp_arg tiocsti = { 1, UINT32_MAX, 0x5412, "SCMP_CMP_MASKED_EQ" };
	const struct plan_seccomp *engine = seccomp_profile_engine(arena);
	struct plan_seccomp *plan = arena_new_of(arena, struct plan_seccomp);
	struct plan_seccomp_rule *rules = arena_array_of(arena, engine->n_rules + 3, struct plan_seccomp_rule);

	*plan = *engine;
	rules[0] = (struct plan_seccomp_rule){ refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | EACCES, NULL, 0 };
	rules[1] = (struct plan_seccomp_rule){ logged, ARRAY_SIZE(logged), SECCOMP_RET_LOG, NULL, 0 };
	/* Everything but TIOCSTI. */
	rules[2] = (struct plan_seccomp_rule){ ioctl_name, 1, SECCOMP_RET_ERRNO | EPERM, &tiocsti, 1 };
	memcpy(rules + 3, engine->rules, engine->n_rules * sizeof(*rules));
	plan->rules = rules;
	plan->n_rules = engine->n_rules + 3;
	return plan;
}

Test(seccomp_compose, engine_profile)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct subject subject = { .n_compared = 0 };
	uint64_t seed = first_seed();

	compile(seccomp_profile_engine(arena), &subject.config);
	compile(floor_plan(arena), &subject.floor);
	cr_assert_eq(compose(&subject), 0);
	sweep(&subject, &seed);
	cr_expect_lt(subject.both.n, subject.config.n + subject.floor.n + 40, "one copy, and what is left of others");
	cr_expect_gt(subject.n_constant, 250, "%zu numbers are let through without a run", subject.n_constant);
	cr_expect_gt(subject.n_from_floor, 100);
	printf("seccomp_compose: %zu + %zu = %zu instructions\n", subject.config.n, subject.floor.n, subject.both.n);
	subject_done(&subject);
}

/* Some of the rules notify where the default does not forbid it. */
static const struct plan_seccomp *random_plan(struct arena *arena, bool notifies, uint64_t *seed)
{
	const struct plan_seccomp *plan = seccomp_profile_random(arena, seed);
	struct plan_seccomp_rule *rules = (struct plan_seccomp_rule *)plan->rules;

	for (size_t i = 0; notifies && i < plan->n_rules; i++)
		if (seccomp_profile_random_number(seed) >> 20 & 1)
			rules[i].action = SECCOMP_RET_USER_NOTIF;
	return plan;
}

Test(seccomp_compose, random_rules)
{
	const unsigned n_rounds = rounds_of(100);
	uint64_t seed = first_seed();
	size_t n_compared = 0, n_from_config = 0, n_from_floor = 0;

	for (unsigned i = 0; i < n_rounds; i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
		struct subject subject = { .n_compared = 0 };

		compile(random_plan(arena, i % 3 == 0, &seed), &subject.config);
		compile(i % 2 ? floor_plan(arena) : random_plan(arena, i % 3 == 1, &seed), &subject.floor);
		cr_assert_eq(compose(&subject), 0);
		sweep(&subject, &seed);
		n_compared += subject.n_compared;
		n_from_config += subject.n_from_config;
		n_from_floor += subject.n_from_floor;
		subject_done(&subject);
	}
	cr_expect_gt(n_compared, 10000 * n_rounds);
	cr_expect_gt(n_from_config, n_compared / 100);
	cr_expect_gt(n_from_floor, n_compared / 100);
}

/* ---- the real floors ---- */

#define FLOOR_KINDS 12
#define FLOORS (FLOOR_KINDS * ARRAY_SIZE(machines))

static const struct machine {
	const struct seccomp_floor_machine *floors;
	uint32_t architectures[3];
	size_t n_architectures, n_constant; /* calls of which an engine's profile and each floor allow at least so many */
} machines[] = { { &seccomp_floor_x86_64, { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 }, 3, 250 },
		 { &seccomp_floor_aarch64, { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM }, 2, 250 } };

static const struct machine *machine_of(size_t i)
{
	return &machines[i / FLOOR_KINDS % ARRAY_SIZE(machines)];
}

/* Also of the machine that this one is not: a compiler needs no processor. */
static void real_floor(size_t i, struct seccomp_program *program)
{
	static const uint64_t capabilities[] = { 0, UINT64_MAX, 1 << CAP_SYS_PTRACE | 1 << CAP_SYS_ADMIN };
	enum plan_floor floor = i % 2 ? PLAN_FLOOR_STRICT : PLAN_FLOOR_BASELINE;
	struct error err = { 0 };

	cr_assert_eq(seccomp_floor_compile(&machine_of(i)->floors->profiles[floor], capabilities[i % 3], program, &err),
		     0, "%s", err.message);
	if (i % 4 > 1)
		seccomp_floor_notify(program);
}

/* An engine's profile above each floor, then random ones. */
static void real_config(struct arena *arena, size_t i, uint64_t *seed, struct seccomp_program *program)
{
	struct plan_seccomp plan = i < FLOORS ? *seccomp_profile_engine(arena) : *random_plan(arena, i % 4 < 2, seed);
	const struct machine *machine = machine_of(i);

	plan.architectures = machine->architectures;
	if (plan.n_architectures > machine->n_architectures)
		plan.n_architectures = machine->n_architectures;
	compile(&plan, program);
}

Test(seccomp_compose, real_floors)
{
	const unsigned n_random = rounds_of(84);
	uint64_t seed = first_seed();
	size_t n_compared = 0, n_from_config = 0, n_from_floor = 0;

	for (size_t i = 0; i < FLOORS + n_random; i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
		struct subject subject = { .n_compared = 0 };

		real_config(arena, i, &seed, &subject.config);
		real_floor(i, &subject.floor);
		if (compose(&subject) == 0)
			sweep(&subject, &seed);
		cr_expect(i >= FLOORS || subject.n_constant > machine_of(i)->n_constant,
			  "%zu numbers are let through without a run", subject.n_constant);
		if (i < FLOORS)
			printf("seccomp_compose: %zu + %zu = %zu instructions\n", subject.config.n, subject.floor.n,
			       subject.both.n);
		n_compared += subject.n_compared;
		n_from_config += subject.n_from_config;
		n_from_floor += subject.n_from_floor;
		subject_done(&subject);
	}
	cr_expect_gt(n_compared, 10000 * (FLOORS + n_random));
	cr_expect_gt(n_from_config, n_compared / 100);
	cr_expect_gt(n_from_floor, n_compared / 100);
}

/* Every answer that goes on, with and without data, before every answer of a floor. */
Test(seccomp_compose, every_pair_of_actions)
{
	static const uint32_t answers[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP | 3,
					    SECCOMP_RET_ERRNO | 1,    SECCOMP_RET_ERRNO | 38,  SECCOMP_RET_USER_NOTIF,
					    SECCOMP_RET_TRACE | 1,    SECCOMP_RET_TRACE | 2,   SECCOMP_RET_LOG,
					    SECCOMP_RET_ALLOW,	      SECCOMP_RET_ALLOW | 7 };
	const size_t n = ARRAY_SIZE(answers);

	for (size_t i = 0; i < n * n; i++) {
		struct sock_filter config = BPF_STMT(BPF_RET | BPF_K, answers[i / n]);
		struct sock_filter floor = BPF_STMT(BPF_RET | BPF_K, answers[i % n]);
		struct subject subject = { .config = { .instructions = &config, .n = 1 },
					   .floor = { .instructions = &floor, .n = 1 } };
		bool both_notify = answers[i / n] == SECCOMP_RET_USER_NOTIF && config.k == floor.k;

		cr_assert_eq(seccomp_compose(&subject.config, &subject.floor, &subject.both, NULL),
			     both_notify ? -EINVAL : 0);
		if (!both_notify)
			check(&subject, &(struct seccomp_data){ .nr = 0 });
		seccomp_program_done(&subject.both);
	}
}

/* Of two refusals that read the same to the program it is the one that is counted, and of any others config.json's. */
Test(seccomp_compose, what_both_refuse_is_counted)
{
	const struct sock_filter floor = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	const uint32_t answers[][2] = { { SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_USER_NOTIF },
					{ SECCOMP_RET_ERRNO | EACCES, SECCOMP_RET_ERRNO | EACCES },
					{ SECCOMP_RET_TRAP | EPERM, SECCOMP_RET_TRAP | EPERM },
					{ SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF } };

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct sock_filter config = BPF_STMT(BPF_RET | BPF_K, answers[i][0]), below = floor;
		struct subject subject = { .config = { .instructions = &config, .n = 1 },
					   .floor = { .instructions = &below, .n = 1 } };

		cr_assert_eq(seccomp_compose(&subject.config, &subject.floor, &subject.both, NULL), 0);
		cr_expect_eq(seccomp_evaluate(&subject.both, &(struct seccomp_data){ .nr = 0 }), answers[i][1],
			     "answer %zu", i);
		seccomp_program_done(&subject.both);
	}
}

/* ---- any programs ---- */

static void random_program(struct seccomp_program *program, size_t n, bool may_notify, uint64_t *seed)
{
	program->instructions = calloc(n, sizeof(*program->instructions));
	program->n = n;
	seccomp_both_random_program(program->instructions, n, may_notify, seed);
}

static void probe_randomly(struct subject *subject, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		struct seccomp_data data = { .nr = (int)(seccomp_profile_random_number(seed) >> 20 & 15),
					     .arch = (uint32_t)(seccomp_profile_random_number(seed) >> 20 & 15) };

		seccomp_both_arguments(&subject->values, seed, &data);
		check_constant(subject, &data);
		check(subject, &data);
	}
}

Test(seccomp_compose, random_programs)
{
	const unsigned n_rounds = rounds_of(2000);
	uint64_t seed = first_seed();
	size_t n_big = 0;

	for (size_t i = 0; i < n_rounds; i++) {
		struct subject subject = { .n_compared = 0 };
		size_t n = 1 + (size_t)(seccomp_profile_random_number(&seed) >> 20) % (i % 10 ? 40 : 1500);

		random_program(&subject.config, n, i & 1, &seed);
		random_program(&subject.floor, 2 + n / 2, !(i & 1), &seed);
		subject.floor.instructions[0] =
			(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * (uint32_t)(n % SECCOMP_BOTH_WORDS));
		if (compose(&subject) == 0)
			probe_randomly(&subject, 200, &seed);
		else
			n_big++;
		subject_done(&subject);
	}
	cr_expect_lt(n_big, n_rounds / 10);
}

/* A chain of comparisons that ends in ALLOW: one copy of the floor. */
static void long_program(struct seccomp_program *program, size_t n)
{
	random_program(program, n, false, &(uint64_t){ 1 });
	program->instructions[0] =
		(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
	for (size_t i = 1; i + 1 < n; i++)
		program->instructions[i] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)i, 0, (uint8_t)(i + 2 < n));
	for (size_t i = 2; i + 1 < n; i += 2)
		program->instructions[i] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, i % 4 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | 9);
	program->instructions[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

Test(seccomp_compose, as_long_as_the_kernel_takes)
{
	/* Such that nothing of the floor can be folded away. */
	static const size_t floor_lengths[] = { 6, 302, 2050, SECCOMP_CODE_MAX - 6 };

	for (size_t i = 0; i < ARRAY_SIZE(floor_lengths); i++) {
		for (size_t excess = 0; excess < 2; excess++) {
			struct subject subject = { .n_compared = 0 };
			uint64_t seed = 7;

			long_program(&subject.floor, floor_lengths[i]);
			long_program(&subject.config, SECCOMP_CODE_MAX - floor_lengths[i] + excess);
			cr_assert_eq(compose(&subject), excess ? -E2BIG : 0, "floor of %zu", floor_lengths[i]);
			if (!excess)
				probe_randomly(&subject, 2000, &seed);
			cr_expect_eq(subject.both.n, excess ? 0 : SECCOMP_CODE_MAX);
			subject_done(&subject);
		}
	}
}

Test(seccomp_compose, flags)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct seccomp_program config = { .instructions = &code, .n = 1, .flags = SECCOMP_FILTER_FLAG_LOG };
	struct seccomp_program floor = { .instructions = &code,
					 .n = 1,
					 .flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW };
	struct seccomp_program both = { 0 };

	cr_assert_eq(seccomp_compose(&config, &floor, &both, NULL), 0);
	cr_expect_eq(both.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER,
		     "the rest of the floor's flags are config.json's to say");
	seccomp_program_done(&both);
}
