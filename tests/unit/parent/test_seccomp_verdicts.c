/* Our filters against the rules read plainly, and against libseccomp's, in the simulator. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "parent/seccomp/seccomp.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/rounds.h"
#include "tests/support/seccomp_libseccomp.h"
#include "tests/support/seccomp_profile.h"
#include "tests/support/seccomp_reading.h"

#define X32_BIT 0x40000000u
#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

struct subject {
	const struct plan_seccomp *plan;
	struct seccomp_program ours;
	struct sock_filter *theirs; /* NULL: libseccomp refuses the rules */
	size_t n_theirs;
	struct seccomp_reading_limits limits;
	size_t n_compared, n_different;
};

static void subject_init(struct subject *subject, const struct plan_seccomp *plan)
{
	struct error err = { 0 };

	*subject = (struct subject){ .plan = plan };
	cr_assert_eq(seccomp_program_get(plan, -EBADF, &subject->ours, &err), 0, "%s", err.message);
	subject->theirs = seccomp_libseccomp_compile(plan, &subject->n_theirs);
	seccomp_reading_limits(plan, &subject->limits);
}

static void subject_done(struct subject *subject)
{
	seccomp_program_done(&subject->ours);
	free(subject->theirs);
}

static void check(struct subject *subject, const struct seccomp_data *data)
{
	uint32_t ours = 0, theirs = 0, plain;
	bool clash;

	plain = seccomp_reading_verdict(subject->plan, data, &clash);
	cr_assert_eq(bpf_simulator_run(subject->ours.instructions, subject->ours.n, data, &ours, NULL), 0);
	if (seccomp_reading_is_beyond(subject->plan, &subject->limits, data))
		plain = ENOSYS_ACTION;
	cr_assert_eq(ours, plain, "arch %x nr %x args %llx %llx %llx: 0x%x instead of 0x%x", data->arch, data->nr,
		     data->args[0], data->args[1], data->args[2], ours, plain);
	if (!subject->theirs || clash || seccomp_reading_is_beyond(subject->plan, &subject->limits, data) ||
	    seccomp_libseccomp_is_wrong(subject->plan, data))
		return;
	cr_assert_eq(bpf_simulator_run(subject->theirs, subject->n_theirs, data, &theirs, NULL), 0);
	subject->n_compared++;
	subject->n_different += ours != theirs;
}

static void sweep(struct subject *subject, uint32_t arch, uint32_t first, uint32_t last, uint64_t *seed)
{
	for (uint32_t nr = first; nr <= last; nr++) {
		struct seccomp_data data = { .nr = (int)nr, .arch = arch };

		for (unsigned i = 0; i < 6; i++)
			data.args[i] = seccomp_profile_random_value(seed);
		check(subject, &data);
	}
}

static void sweep_all(struct subject *subject, uint64_t *seed)
{
	static const uint32_t edges[] = { 0x1000,     0x3fffffff, 0x3fffffff, 0x40000000, 0x40000fff,
					  0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xfffffffe };
	static const uint32_t arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64, SCMP_ARCH_X32, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		sweep(subject, arches[i], 0, 600, seed);
		sweep(subject, arches[i], X32_BIT, X32_BIT + 600, seed);
		for (size_t k = 0; k < ARRAY_SIZE(edges); k++)
			sweep(subject, arches[i], edges[k], edges[k], seed);
		check(subject, &(struct seccomp_data){ .nr = -1, .arch = arches[i] });
	}
}

Test(seccomp_verdicts, engine_profile)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	uint64_t seed = 0x853c49e6748fea9b;
	struct subject subject;

	subject_init(&subject, seccomp_profile_engine(arena));
	sweep_all(&subject, &seed);
	cr_expect_eq(subject.n_different, 0, "%zu of %zu answers differ from libseccomp's", subject.n_different,
		     subject.n_compared);
	cr_expect_gt(subject.n_compared, 3000);
	subject_done(&subject);
}

/* Numbers that the rules are about, with many arguments each. */
static void probe(struct subject *subject, const char *name, uint64_t *seed)
{
	static const uint32_t tokens[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };
	struct seccomp_data data;
	int numbers[3];

	for (size_t i = 0; i < 3; i++)
		numbers[i] = seccomp_syscall_resolve_name_arch(tokens[i], name);
	for (size_t i = 0; i < 3 * 30; i++) {
		int number = numbers[i % 3];

		data = (struct seccomp_data){ .arch = i % 3 == 1 ? SCMP_ARCH_X86 : SCMP_ARCH_X86_64 };
		for (unsigned k = 0; k < 6; k++)
			data.args[k] = seccomp_profile_random_value(seed);
		data.nr = number >= 0 ? number : number <= -200 ? 117 : 102;
		check(subject, &data);
		/* A selector that fits, and the direct way that newer kernels have beside it. */
		if (number < -100 && number > -300)
			data.args[0] = (uint32_t)-number % (number <= -200 ? 200 : 100);
		check(subject, &data);
		data.nr = 340 + (int)(data.args[3] % 70);
		check(subject, &data);
	}
}

Test(seccomp_verdicts, random_rules)
{
	const unsigned n_rounds = rounds_of(200);
	uint64_t seed = 0x9e3779b97f4a7c15;
	size_t n_compared = 0, n_different = 0;

	for (unsigned i = 0; i < n_rounds; i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
		struct subject subject;

		subject_init(&subject, seccomp_profile_random(arena, &seed));
		for (size_t k = 0; k < subject.plan->n_rules; k++)
			probe(&subject, subject.plan->rules[k].names[0], &seed);
		if (i % 20 == 0)
			sweep_all(&subject, &seed);
		n_compared += subject.n_compared;
		n_different += subject.n_different;
		subject_done(&subject);
	}
	cr_expect_eq(n_different, 0, "%zu of %zu answers differ from libseccomp's", n_different, n_compared);
	cr_expect_gt(n_compared, 250 * n_rounds);
}
