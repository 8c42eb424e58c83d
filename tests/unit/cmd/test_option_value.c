#include <criterion/criterion.h>
#include <errno.h>

#include "base/cleanup.h"
#include "cmd/brig/option_value.h"

static void expect_ms(const char *text, uint64_t wanted)
{
	uint64_t ms = 0;

	cr_expect_eq(option_value_duration(text, &ms), 0, "%s", text);
	cr_expect_eq(ms, wanted, "%s: %llu", text, (unsigned long long)ms);
}

Test(duration, is_read_as_go_does)
{
	expect_ms("5s", 5000);
	expect_ms("1m30s", 90000);
	expect_ms("250ms", 250);
	expect_ms("1.5h", 5400000);
	expect_ms(".5s", 500);
	expect_ms("1.s", 1000);
	expect_ms("0", 0);
	expect_ms("+5s", 5000);
	expect_ms("1h2m3s4ms5us6ns", 3723004);
	expect_ms("1500us", 1);
	expect_ms("1500\u00b5s", 1);
	expect_ms("0.123456789123456789s", 123);
}

Test(duration, refuses_the_rest)
{
	static const char *const refused[] = { "", "5", "s", ".s", "-5s", "5x", "5s ", "5 s", "5ss", "1..5s", "+", "5sm" };
	uint64_t ms = 42;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		cr_expect_eq(option_value_duration(refused[i], &ms), -EINVAL, "%s", refused[i]);
	cr_expect_eq(option_value_duration("9999999999h", &ms), -ERANGE);
	cr_expect_eq(ms, 42, "a failure must not touch the output");
}

static void expect_bytes(const char *text, int64_t wanted)
{
	int64_t bytes = 0;

	cr_expect_eq(option_value_size(text, &bytes), 0, "%s", text);
	cr_expect_eq(bytes, wanted, "%s: %lld", text, (long long)bytes);
}

Test(size, understands_suffixes)
{
	expect_bytes("0", 0);
	expect_bytes("-1", -1);
	expect_bytes("4096", 4096);
	expect_bytes("4096b", 4096);
	expect_bytes("1k", 1024);
	expect_bytes("1K", 1024);
	expect_bytes("512m", INT64_C(512) << 20);
	expect_bytes("512MB", INT64_C(512) << 20);
	expect_bytes("2GiB", INT64_C(2) << 30);
	expect_bytes("1t", INT64_C(1) << 40);
	expect_bytes("9223372036854775807", INT64_MAX);
}

Test(size, refuses_the_rest)
{
	static const char *const refused[] = { "", "-2", "m", "5x", "5mx", "1.5g", " 5", "5 ", "0x10", "5kk" };
	int64_t bytes = 42;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		cr_expect_eq(option_value_size(refused[i], &bytes), -EINVAL, "%s", refused[i]);
	cr_expect_eq(option_value_size("9223372036854775808", &bytes), -ERANGE);
	cr_expect_eq(option_value_size("9000000000t", &bytes), -ERANGE);
	cr_expect_eq(bytes, 42, "a failure must not touch the output");
}

Test(choice, is_exact)
{
	cr_expect_eq(option_value_choice("table|json", "table"), 0);
	cr_expect_eq(option_value_choice("table|json", "json"), 1);
	cr_expect_eq(option_value_choice("table|json", "jso"), -1);
	cr_expect_eq(option_value_choice("table|json", "table|json"), -1);
	cr_expect_eq(option_value_choice("table|json", ""), -1);
}
