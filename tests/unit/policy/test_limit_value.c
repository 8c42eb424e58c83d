#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "policy/limit_value.h"

#define NS_PER_S UINT64_C(1000000000)

typedef int parse(const char *where, const char *text, uint64_t *ret, struct error *err);

static void expect(parse *function, const char *text, uint64_t wanted)
{
	struct error err = { 0 };
	uint64_t value = 0;

	cr_expect_eq(function("here", text, &value, &err), 0, "%s: %s", text, err.message);
	cr_expect_eq(value, wanted, "%s", text);
}

static void refuse(parse *function, const char *text, const char *words)
{
	struct error err = { 0 };
	uint64_t value = 42;

	cr_expect_eq(function("here", text, &value, &err), -EINVAL, "\"%s\" is taken", text);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_eq(strncmp(err.message, "here: is \"", 10), 0, "%s", err.message);
	cr_expect_not_null(strstr(err.message, words), "%s: %s", text, err.message);
	cr_expect_eq(value, 42, "a failure must not touch the output");
}

Test(limit_value, takes_durations_and_seconds)
{
	expect(limit_value_timeout, "90", 90 * NS_PER_S);
	expect(limit_value_timeout, "90s", 90 * NS_PER_S);
	expect(limit_value_timeout, "2h30m", 9000 * NS_PER_S);
	expect(limit_value_timeout, "1.5s", 1500000000);
	expect(limit_value_timeout, "300ms", 300000000);
	expect(limit_value_timeout, "1ns", 1);
	expect(limit_value_timeout, "9223372036", UINT64_C(9223372036000000000));
}

Test(limit_value, refuses_other_times)
{
	static const char *const malformed[] = { "",	" ",   "s",    "-5",   "-5s", "5x",  "5s ",
						 " 5s", "1e9", "0x10", "1,5s", "5 s", "\xff" };
	static const char *const nothing[] = { "0", "0s", "00", "0.0000000001s" };
	static const char *const large[] = { "9223372037", "18446744074", "99999999999999999999999s", "9999999999h",
					     "2562048h" };

	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		refuse(limit_value_timeout, malformed[i], "give seconds");
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		refuse(limit_value_timeout, nothing[i], "more than nothing");
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		refuse(limit_value_timeout, large[i], "more than brig can count");
}

Test(limit_value, takes_bytes)
{
	expect(limit_value_bytes, "1", 1);
	expect(limit_value_bytes, "4096", 4096);
	expect(limit_value_bytes, "10k", 10240);
	expect(limit_value_bytes, "10M", UINT64_C(10) << 20);
	expect(limit_value_bytes, "1GiB", UINT64_C(1) << 30);
	expect(limit_value_bytes, "9223372036854775807", INT64_MAX);
}

Test(limit_value, refuses_other_sizes)
{
	static const char *const malformed[] = { "", "-1", "k", "5x", "1.5g", " 5", "5 ", "5kk", "0x10", "\xff" };
	static const char *const nothing[] = { "0", "0k", "000" };
	static const char *const large[] = { "9223372036854775808", "18446744073709551616", "9000000000g" };

	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		refuse(limit_value_bytes, malformed[i], "give bytes");
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		refuse(limit_value_bytes, nothing[i], "more than nothing");
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		refuse(limit_value_bytes, large[i], "more than brig can count");
}

Test(limit_value, a_long_value_is_cut_in_the_message)
{
	struct error err = { 0 };
	char text[4096];
	uint64_t value;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_expect_eq(limit_value_timeout("here", text, &value, &err), -EINVAL);
	cr_expect_lt(strlen(err.message), 256, "%s", err.message);
}
