/* The table of refused calls: what it counts, and that nobody can make it grow or slow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "audit/denials.h"

#define SECOND UINT64_C(1000000000)

static const struct denials_limits small = { .n_entries = 4, .rate = 10, .burst = 5 };

static struct denial call_of(uint32_t number, uint64_t argument, uint64_t at_ns)
{
	struct denial denial = { .architecture = AUDIT_ARCH_X86_64,
				 .number = number,
				 .pid = 100,
				 .when = { .tv_sec = (time_t)(at_ns / SECOND) },
				 .monotonic_ns = at_ns };

	for (size_t i = 0; i < DENIALS_ARGUMENTS; i++)
		denial.arguments[i] = argument + i;
	return denial;
}

static bool add(struct denials *denials, struct denial denial)
{
	bool wants;

	return denials_add(denials, &denial, &wants);
}

/* The document, to be freed. */
static char *document(const struct denials *denials)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, 0);

	denials_write_json(denials, &writer);
	cr_assert_not(text.failed);
	return strndup((const char *)text.data, text.length);
}

static void expect_document(const struct denials *denials, const char *expected)
{
	AUTO_FREE char *text = document(denials);

	cr_expect_str_eq(text, expected);
}

Test(denials, nothing_yet)
{
	AUTO(denials_free) struct denials *denials = denials_new(&denials_default_limits);

	expect_document(denials, "{\"state\":\"listening\",\"total\":0,\"others\":0,\"calls\":[]}");
	denials_end(denials, DENIALS_ENDED);
	denials_end(denials, DENIALS_FAILED);
	expect_document(denials, "{\"state\":\"ended\",\"total\":0,\"others\":0,\"calls\":[]}");
}

Test(denials, one_call_three_times)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	struct denial mount = call_of(165, 0x7fffffffffffffff, SECOND);

	cr_expect(add(denials, mount));
	mount.arguments[0] = 1; /* a pointer: another one does not make it another call */
	mount.when.tv_sec = 2;
	cr_expect(add(denials, mount));
	mount.when = (struct timespec){ 3, 5 };
	cr_expect(add(denials, mount));
	cr_expect_eq(denials_total(denials), 3);
	expect_document(
		denials,
		"{\"state\":\"listening\",\"total\":3,\"others\":0,\"calls\":[{\"architecture\":3221225534,\"number\":165,"
		"\"arguments\":[\"0x7fffffffffffffff\",\"0x8000000000000000\",\"0x8000000000000001\",\"0x8000000000000002\","
		"\"0x8000000000000003\",\"0x8000000000000004\"],\"decisive\":[],\"programs\":[],\"count\":3,"
		"\"first\":\"1970-01-01T00:00:01.000000000Z\",\"last\":\"1970-01-01T00:00:03.000000005Z\"}]}");
}

/* socket's family, type and protocol tell, its other arguments are rubbish. */
Test(denials, decisive_arguments_tell_calls_apart)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	struct denial vsock = call_of(41, 40, 0), alg = call_of(41, 38, 0);
	AUTO_FREE char *text = NULL;

	vsock.arguments[5] = 7;
	cr_expect(add(denials, call_of(41, 40, 0)));
	cr_expect(add(denials, vsock));
	cr_expect(add(denials, alg));
	text = document(denials);
	cr_expect_not_null(strstr(text, "\"arguments\":[\"0x28\","), "%s", text);
	cr_expect_not_null(strstr(text, "\"decisive\":[0,1,2],\"programs\":[],\"count\":2"), "%s", text);
	cr_expect_not_null(strstr(text, "\"arguments\":[\"0x26\","), "%s", text);
}

Test(denials, architectures_are_told_apart)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	struct denial denial = call_of(21, 0, 0);
	AUTO_FREE char *text = NULL;

	cr_expect(add(denials, denial));
	denial.architecture = AUDIT_ARCH_I386;
	cr_expect(add(denials, denial));
	text = document(denials);
	cr_expect_not_null(strstr(text, "\"architecture\":1073741827,\"number\":21"), "%s", text);
	cr_expect_null(strstr(text, "\"count\":2"));
}

Test(denials, a_full_table_counts_the_rest_together)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	AUTO_FREE char *text = NULL;

	for (uint32_t i = 0; i < 1000; i++)
		cr_assert(add(denials, call_of(i % 10, 0, i * SECOND)));
	text = document(denials);
	cr_expect_not_null(strstr(text, "\"total\":1000,\"others\":600,"), "%s", text);
	cr_expect_not_null(strstr(text, "\"number\":3,"));
	cr_expect_null(strstr(text, "\"number\":4,"));
}

Test(denials, the_document_is_bounded)
{
	AUTO(denials_free) struct denials *denials = denials_new(&denials_default_limits);
	AUTO_FREE char *text = NULL;

	for (uint32_t i = 0; i < 20000; i++) {
		struct denial denial = call_of(16, UINT64_MAX - i, i * SECOND / 100);
		bool wants;

		denial.pid = (pid_t)i;
		cr_assert(denials_add(denials, &denial, &wants));
		if (wants)
			denials_add_program(denials, "\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b",
					    16);
	}
	text = document(denials);
	cr_expect_lt(strlen(text), 128 * 1024);
	cr_expect_not_null(strstr(text, "\"others\":19744,"));
}

/* ---- the rate ---- */

Test(denials, a_burst_and_then_the_rate)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	uint64_t now = 100 * SECOND;

	for (int i = 0; i < 6; i++)
		cr_expect(add(denials, call_of(1, 0, now)), "call %d of the burst", i);
	for (int i = 0; i < 1000; i++)
		cr_expect(add(denials, call_of(1, 0, now += SECOND / 10)), "call %d at the rate", i);
	cr_expect_eq(denials_state(denials), DENIALS_GO_ON);
	cr_expect_not(add(denials, call_of(1, 0, now += SECOND / 11)));
	cr_expect_eq(denials_state(denials), DENIALS_FLOOD);
	cr_expect_not(add(denials, call_of(1, 0, now += 1000 * SECOND)), "a flood is for good");
	cr_expect_eq(denials_total(denials), 1006, "what is not counted is not in the total");
}

Test(denials, a_rest_fills_the_bucket_again_but_no_further)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	uint64_t now = 0;

	for (int round = 0; round < 10; round++) {
		now += 3600 * SECOND;
		for (int i = 0; i < 6; i++)
			cr_expect(add(denials, call_of(1, 0, now)));
	}
	cr_expect_not(add(denials, call_of(1, 0, now)));
}

/* A clock that stands still or goes back (it must not) gives nothing away. */
Test(denials, a_clock_that_goes_back)
{
	AUTO(denials_free) struct denials *denials = denials_new(&small);
	int n = 0;

	while (n < 100 && add(denials, call_of(1, 0, (uint64_t)(100 - n) * SECOND)))
		n++;
	cr_expect_eq(n, 6);
}

Test(denials, limits_that_make_no_sense)
{
	static const struct denials_limits limits[] = { { 0, 0, 0 }, { 1, UINT64_MAX, UINT64_MAX }, { SIZE_MAX, 1, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		AUTO(denials_free) struct denials *denials = denials_new(&limits[i]);

		cr_expect(add(denials, call_of(1, 0, 5)), "%zu", i);
		cr_expect(add(denials, call_of(2, 0, 5 + 1000 * SECOND)), "%zu", i);
		cr_expect_eq(denials_total(denials), 2);
	}
}

/* ---- programs ---- */

static void add_from(struct denials *denials, pid_t pid, uint64_t at_ns, const char *program, bool wanted)
{
	struct denial denial = call_of(165, 0, at_ns);
	bool wants;

	denial.pid = pid;
	cr_assert(denials_add(denials, &denial, &wants));
	cr_expect_eq(wants, wanted, "%s", program);
	denials_add_program(denials, program, strlen(program));
	denials_add_program(denials, "not asked for", 13);
}

Test(denials, programs)
{
	AUTO(denials_free) struct denials *denials = denials_new(&denials_default_limits);
	AUTO_FREE char *text = NULL;

	add_from(denials, 1, 0, "sh\n", true);
	add_from(denials, 1, 1, "sh2", false); /* asked a moment ago */
	add_from(denials, 1, SECOND, "sh\n", true);
	add_from(denials, 2, SECOND + 1, "\x1b[2J\xff\"\\\t|", true);
	add_from(denials, 3, SECOND + 2, "a-name-that-is-much-too-long", true);
	add_from(denials, 4, SECOND + 3, "", true);
	add_from(denials, 5, SECOND + 4, "one too many", false);
	text = document(denials);
	cr_expect_not_null(strstr(text, "\"programs\":[\"sh\",\"?[2J?\\\"\\\\?|\",\"a-name-that-is-\",\"?\"]"), "%s",
			   text);
}

Test(denials, counts_are_of_calls_whatever_their_arguments)
{
	AUTO(denials_free) struct denials *denials = denials_new(&denials_default_limits);
	struct denials_count counts[2];

	cr_expect_eq(denials_counts(denials, counts, 2), 0);
	cr_expect(add(denials, call_of(272, 1, SECOND)));
	cr_expect(add(denials, call_of(272, 2, SECOND)));
	cr_expect(add(denials, call_of(165, 0, SECOND)));
	cr_expect(add(denials, call_of(101, 0, SECOND)));
	cr_expect(add(denials, call_of(165, 0, SECOND)));
	cr_expect_eq(denials_counts(denials, counts, 2), 2, "no more than there is room for");
	cr_expect_eq(counts[0].number, 272);
	cr_expect_eq(counts[0].count, 2);
	cr_expect_eq(counts[1].number, 165);
	cr_expect_eq(counts[1].count, 2, "also of what came after the room was used up");
}

/* ---- which arguments ---- */

static bool takes(uint32_t token, uint32_t audit, const char *name, unsigned expected)
{
	int number = seccomp_syscall_resolve_name_arch(token, name);

	/* libseccomp has pseudo numbers for what x86 can also call through socketcall: see below. */
	if (number < 0)
		return token == SCMP_ARCH_X86 && strncmp(name, "socket", 6) == 0;
	return denials_decisive_arguments(audit, (uint32_t)number) == expected;
}

Test(denials, decisive_arguments_have_the_right_numbers)
{
	static const struct {
		uint32_t token, audit;
	} arches[] = { { SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64 },
		       { SCMP_ARCH_X32, AUDIT_ARCH_X86_64 },
		       { SCMP_ARCH_X86, AUDIT_ARCH_I386 },
		       { SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64 },
		       { SCMP_ARCH_ARM, AUDIT_ARCH_ARM } };
	static const struct {
		const char *name;
		unsigned expected;
	} calls[] = { { "bpf", 1 },    { "clone", 1 },	    { "ioctl", 2 },   { "keyctl", 1 }, { "personality", 1 },
		      { "prctl", 1 },  { "ptrace", 1 },	    { "seccomp", 1 }, { "setns", 2 },  { "socket", 7 },
		      { "syslog", 1 }, { "socketpair", 7 }, { "unshare", 1 }, { "mount", 0 },  { "openat2", 0 },
		      { "clone3", 0 }, { "read", 0 },	    { "fchmod", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		for (size_t k = 0; k < ARRAY_SIZE(calls); k++)
			cr_expect(takes(arches[i].token, arches[i].audit, calls[k].name, calls[k].expected),
				  "%s of 0x%x", calls[k].name, arches[i].token);
	cr_expect_eq(denials_decisive_arguments(AUDIT_ARCH_I386, 359), 7, "socket by its own number");
	cr_expect_eq(denials_decisive_arguments(AUDIT_ARCH_I386, 360), 7, "socketpair by its own number");
	cr_expect_eq(denials_decisive_arguments(AUDIT_ARCH_I386, 102), 1, "socketcall");
	cr_expect_eq(denials_decisive_arguments(AUDIT_ARCH_X86_64, UINT32_MAX), 0);
	cr_expect_eq(denials_decisive_arguments(1234, 41), 0);
}
