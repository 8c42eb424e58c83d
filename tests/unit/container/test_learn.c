/* Profiles made of calls, read, tidied and compared; lines of the tracer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "base/buffer.h"
#include "container/learn/learn_calls.h"
#include "container/learn/learn_profile.h"
#include "container/learn/learn_trace.h"

static char *profile_text(struct learn_profile *profile)
{
	struct buffer text = { 0 };

	learn_profile_tidy(profile);
	learn_profile_write(profile, &text);
	return buffer_steal(&text);
}

static int parse(struct learn_profile *profile, const char *text, struct error *err)
{
	const struct buffer buffer = { .data = (char *)text, .length = strlen(text) };

	return learn_profile_parse(profile, &buffer, "test", err);
}

static char *read_and_write(const char *text)
{
	struct learn_profile profile = { 0 };
	struct error err = { 0 };
	char *written;

	cr_assert_eq(learn_profile_init(&profile, &err), 0);
	cr_assert_eq(parse(&profile, text, &err), 0, "%s", err.message);
	written = profile_text(&profile);
	learn_profile_done(&profile);
	return written;
}

static void expect_compared(const char *before, const char *after, const char *expected)
{
	struct learn_profile left = { 0 }, right = { 0 };
	struct buffer out = { 0 };
	struct error err = { 0 };
	bool differs = !*expected;

	cr_assert_eq(learn_profile_init(&left, &err) | learn_profile_init(&right, &err), 0);
	cr_assert_eq(parse(&left, before, &err), 0, "%s", err.message);
	cr_assert_eq(parse(&right, after, &err), 0, "%s", err.message);
	learn_profile_tidy(&left);
	learn_profile_tidy(&right);
	cr_assert_eq(learn_profile_compare(&left, &right, &out, &differs, &err), 0);
	cr_expect_str_eq(out.data ? out.data : "", expected);
	cr_expect_eq(differs, *expected != '\0');
	buffer_done(&out);
	learn_profile_done(&left);
	learn_profile_done(&right);
}

#define RULE(names, rest) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"" rest "}"
#define PROFILE(rules) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" rules "]}"

Test(learn, what_says_nothing_is_left_out)
{
	static const char before[] = PROFILE(RULE("\"read\",\"write\",\"read\"", "") "," RULE(
		"\"socket\"",
		",\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]") "," RULE("\"socket\"",
											 "") ",{"
											     "\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"}");
	static const char after[] = PROFILE(RULE("\"socket\",\"write\",\"read\"", ""));

	expect_compared(before, after, "");
}

Test(learn, an_exception_from_what_is_allowed_stays)
{
	static const char exception[] = ",{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,"
					"\"value\":4294967295,\"valueTwo\":21522,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}";
	char *text = NULL, document[1024];

	snprintf(document, sizeof(document), PROFILE(RULE("\"ioctl\"", "") "%s"), exception);
	text = read_and_write(document);
	cr_expect_not_null(strstr(text, "21522"), "%s", text);
	free(text);
	/* ... and without the rule that it is an exception from it is the default. */
	snprintf(document, sizeof(document), PROFILE(RULE("\"read\"", "") "%s"), exception);
	text = read_and_write(document);
	cr_expect_null(strstr(text, "21522"), "%s", text);
	free(text);
}

Test(learn, of_opposites_the_one_that_allows_counts)
{
	expect_compared(PROFILE("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_KILL\"}," RULE("\"mkdir\"", "")),
			PROFILE(RULE("\"mkdir\"", "")), "");
}

Test(learn, differences_are_lines)
{
	expect_compared(
		PROFILE(RULE("\"read\",\"write\"", "")),
		"{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":[" RULE(
			"\"read\"", "") "," RULE("\"socket\"", ",\"args\":[{\"index\":0,\"value\":255,\"valueTwo\":1,\"op\":"
							       "\"SCMP_CMP_MASKED_EQ\"},{\"index\":1,\"value\":2,\"op\":"
							       "\"SCMP_CMP_GT\"}]") "]}",
		"+allow socket if arg0 & 0xff == 0x1 and arg1 > 0x2\n"
		"-allow write\n"
		"+architecture SCMP_ARCH_X86\n"
		"-default SCMP_ACT_ERRNO 1\n"
		"+default SCMP_ACT_KILL_PROCESS\n");
}

Test(learn, documents_that_are_none_are_errors)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"defaultAction\":1}",
		PROFILE("{\"names\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"}"),
		PROFILE("{\"names\":[\"read\"]}"),
		PROFILE(RULE("\"read\"", ",\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]")),
		"{\"linux\":{\"seccomp\":{}}}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct learn_profile profile = { 0 };
		struct error err = { 0 };

		cr_assert_eq(learn_profile_init(&profile, &err), 0);
		cr_expect_lt(parse(&profile, texts[i], &err), 0, "%s", texts[i]);
		cr_expect_not_null(strstr(err.message, "seccomp profile test"), "%s: %s", texts[i], err.message);
		learn_profile_done(&profile);
	}
}

Test(learn, more_conditions_than_arguments_are_refused)
{
	char document[1024] = PROFILE("");
	struct learn_profile profile = { 0 };
	struct error err = { 0 };
	size_t at;

	at = (size_t)snprintf(document, sizeof(document),
			      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
			      "\"SCMP_ACT_ALLOW\",\"args\":[");
	for (int i = 0; i < 7; i++)
		at += (size_t)snprintf(document + at, sizeof(document) - at,
				       "%s{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}", i ? "," : "");
	snprintf(document + at, sizeof(document) - at, "]}]}");
	cr_assert_eq(learn_profile_init(&profile, &err), 0);
	cr_expect_eq(parse(&profile, document, &err), -EINVAL);
	cr_expect_not_null(strstr(err.message, "7 conditions"), "%s", err.message);
	learn_profile_done(&profile);
}

/* ---- calls ---- */

static void call(struct learn_calls *calls, int nr, uint64_t first, uint64_t second, uint32_t answer)
{
	const struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64, .args = { first, second } };

	learn_calls_add(calls, &data, answer);
}

static char *profile_of(const struct learn_calls *calls, bool beyond_floor)
{
	struct learn_profile profile = { 0 };
	char *text;

	cr_assert_eq(learn_profile_init(&profile, NULL), 0);
	cr_assert_eq(learn_calls_add_rules(calls, beyond_floor, &profile, NULL), 0);
	text = profile_text(&profile);
	learn_profile_done(&profile);
	return text;
}

/* As x86_64 has them. */
enum { NR_READ = 0, NR_IOCTL = 16, NR_SOCKET = 41, NR_CLONE = 56, NR_MOUNT = 165 };

Test(learn, calls_become_rules)
{
	struct learn_calls *calls = learn_calls_new();
	struct buffer names = { 0 };
	char *text;

	call(calls, NR_READ, 3, 4, SECCOMP_RET_ALLOW);
	call(calls, NR_READ, 5, 6, SECCOMP_RET_ALLOW);
	/* An int to the kernel, whatever lies above it. */
	call(calls, NR_IOCTL, 0, 0x700005401, SECCOMP_RET_ALLOW);
	call(calls, NR_IOCTL, 1, 0x5401, SECCOMP_RET_ALLOW);
	call(calls, NR_CLONE, 0x3d0f00, 0, SECCOMP_RET_ALLOW);
	call(calls, NR_CLONE, 0x11, 0, SECCOMP_RET_ALLOW);
	call(calls, NR_SOCKET, 1, 5, SECCOMP_RET_ALLOW);
	call(calls, NR_SOCKET, 1, 2, SECCOMP_RET_ALLOW);
	call(calls, NR_SOCKET, 2, 0x80001, SECCOMP_RET_ERRNO | EPROTONOSUPPORT);
	call(calls, NR_MOUNT, 1, 2, SECCOMP_RET_ERRNO | EPERM);
	call(calls, NR_MOUNT, 3, 4, SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(learn_calls_total(calls), 11);
	cr_expect_eq(learn_calls_untold(calls), 0);
	cr_expect_eq(learn_calls_refused(calls, &names), 1);
	cr_expect_str_eq(names.data, "mount");
	text = profile_of(calls, /* beyond_floor= */ false);
	cr_expect_null(strstr(text, "mount"));
	cr_expect_not_null(strstr(text, "\"read\""));
	cr_expect_not_null(strstr(text, "\"valueTwo\": 21505"));
	cr_expect_null(strstr(strstr(text, "21505") + 1, "21505"), "one rule for both: %s", text);
	cr_expect_not_null(strstr(text, "\"value\": 2114060288"), "no namespaces: %s", text);
	cr_expect_not_null(strstr(text, "\"errnoRet\": 93"));
	free(text);
	text = profile_of(calls, /* beyond_floor= */ true);
	cr_expect_not_null(strstr(text, "\"mount\""));
	free(text);
	buffer_done(&names);
	learn_calls_free(calls);
}

/* A program that makes up calls fills a table of bounded size, and no profile with what has no name. */
Test(learn, a_flood_of_kinds_is_bounded)
{
	struct learn_calls *calls = learn_calls_new();
	char *text;

	for (int i = 0; i < 20000; i++) {
		call(calls, NR_IOCTL, 0, (uint64_t)i, SECCOMP_RET_ALLOW);
		call(calls, 1000 + i, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	}
	/* 1023 numbers beside ioctl fill the one table, and 4096 kinds the other. */
	cr_expect_eq(learn_calls_untold(calls), 40000 - 4096);
	call(calls, 0x40000000 | NR_READ, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	cr_expect_eq(learn_calls_total(calls), 40001);
	cr_expect_eq(learn_calls_untold(calls), 40001 - 4096);
	/* What is known is. */
	call(calls, NR_IOCTL, 0, 7, SECCOMP_RET_ALLOW);
	cr_expect_eq(learn_calls_untold(calls), 40001 - 4096);
	text = profile_of(calls, /* beyond_floor= */ false);
	cr_expect_lt(strlen(text), 2 * 1024 * 1024);
	cr_expect_null(strstr(text, "\"1000\""));
	free(text);
	learn_calls_free(calls);
}

/* ---- the tracer ---- */

Test(learn, lines_of_the_tracer)
{
	struct learn_trace_call parsed = { .number = -7 };

	cr_expect(learn_trace_parse(
		"           <...>-123     [001] .....  99.5: sys_enter: NR 16 (1, 5401, 7ffd00000000, 0, a, ffffffffffffffff)",
		&parsed));
	cr_expect_eq(parsed.number, 16);
	cr_expect_eq(parsed.arguments[1], 0x5401);
	cr_expect_eq(parsed.arguments[5], UINT64_MAX);
	/* A program may call itself what it likes. */
	cr_expect(learn_trace_parse(" sys_enter: NR 1-9 [0] ..... 1.2: sys_enter: NR 41 (2, 1, 0, 0, 0, 0)", &parsed));
	cr_expect_eq(parsed.number, 41);
}

Test(learn, other_lines_of_the_tracer)
{
	static const char *const lines[] = {
		"",
		"CPU:0 [LOST 12 EVENTS]",
		"a-1 [0] 1.2: sys_exit: NR 1 = 0",
		"a-1 [0] 1.2: sys_enter: NR 1 (1, 2, 3",
		"a-1 [0] 1.2: sys_enter: NR 1 (1, 2, 3, 4, 5, 6",
		"a-1 [0] 1.2: sys_enter: NR -1 (1, 2, 3, 4, 5, 6)",
		"a-1 [0] 1.2: sys_enter: NR x (1, 2, 3, 4, 5, 6)",
	};
	struct learn_trace_call parsed = { .number = -7 };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		cr_expect_not(learn_trace_parse(lines[i], &parsed), "%s", lines[i]);
	cr_expect_eq(parsed.number, -7);
}
