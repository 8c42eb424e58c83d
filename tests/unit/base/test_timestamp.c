#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/timestamp.h"

static void expect(int64_t seconds, long nanoseconds, const char *wanted)
{
	const struct timespec when = { .tv_sec = seconds, .tv_nsec = nanoseconds };
	char text[TIMESTAMP_MAX];

	cr_expect_eq(timestamp_format(&when, text), text);
	cr_expect_str_eq(text, wanted);
}

Test(timestamp, known_moments)
{
	expect(0, 0, "1970-01-01T00:00:00.000000000Z");
	expect(1, 1, "1970-01-01T00:00:01.000000001Z");
	expect(951782400, 0, "2000-02-29T00:00:00.000000000Z");
	expect(951868799, 999999999, "2000-02-29T23:59:59.999999999Z");
	expect(951868800, 0, "2000-03-01T00:00:00.000000000Z");
	expect(1709164800, 0, "2024-02-29T00:00:00.000000000Z");
	expect(4107542400, 0, "2100-03-01T00:00:00.000000000Z");
	expect(4107542399, 0, "2100-02-28T23:59:59.000000000Z");
	expect(2147483648, 0, "2038-01-19T03:14:08.000000000Z");
	expect(253402300799, 0, "9999-12-31T23:59:59.000000000Z");
}

/* Each day of four centuries, at a second of its own, against libc. */
Test(timestamp, agrees_with_gmtime)
{
	char text[TIMESTAMP_MAX], wanted[TIMESTAMP_MAX];
	struct timespec when = { 0 };
	struct tm parts;

	for (int64_t day = 0; day < 146100; day++) {
		when.tv_sec = day * 86400 + day * 7919 % 86400;
		gmtime_r(&when.tv_sec, &parts);
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
		cr_assert_str_eq(timestamp_format(&when, text), wanted);
	}
}

Test(timestamp, mad_clocks_fit)
{
	static const int64_t mad[] = { INT64_MAX, INT64_MIN, -1, INT64_MAX / 2, (int64_t)1 << 40 };
	struct {
		char text[TIMESTAMP_MAX], guard[8];
	} room;

	for (size_t i = 0; i < sizeof(mad) / sizeof(*mad); i++) {
		const struct timespec when = { .tv_sec = mad[i], .tv_nsec = -1 };

		strcpy(room.guard, "guarded");
		cr_assert_lt(strlen(timestamp_format(&when, room.text)), TIMESTAMP_MAX);
		cr_assert_str_eq(room.guard, "guarded");
	}
}

static void expect_parsed(const char *text, const char *wanted)
{
	char found[TIMESTAMP_MAX];
	struct timespec when;

	cr_assert_eq(timestamp_parse(text, &when), 0, "%s", text);
	cr_expect_str_eq(timestamp_format(&when, found), wanted, "%s gives %s", text, found);
}

Test(timestamp, is_read_back)
{
	expect_parsed("1970-01-01", "1970-01-01T00:00:00.000000000Z");
	expect_parsed("2000-02-29", "2000-02-29T00:00:00.000000000Z");
	expect_parsed("2000-03-01", "2000-03-01T00:00:00.000000000Z");
	expect_parsed("2024-12-31T23:59", "2024-12-31T23:59:00.000000000Z");
	expect_parsed("2024-12-31 23:59:58", "2024-12-31T23:59:58.000000000Z");
	expect_parsed("2030-01-31T23:59:59.5Z", "2030-01-31T23:59:59.500000000Z");
	expect_parsed("2030-01-31T23:59:59.000000001Z", "2030-01-31T23:59:59.000000001Z");
	expect_parsed("2030-01-31T23:59:59.0000000019", "2030-01-31T23:59:59.000000001Z");
	expect_parsed("2030-01-01T00:30:00+02:00", "2029-12-31T22:30:00.000000000Z");
	expect_parsed("2029-12-31T22:30:00-02:00", "2030-01-01T00:30:00.000000000Z");
	expect_parsed("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000000Z");
}

Test(timestamp, what_is_none_is_refused)
{
	static const char *const texts[] = {
		"",
		"2030",
		"2030-1-1",
		"2030-01-01T",
		"2030-01-01T12",
		"2030-13-01",
		"2030-00-01",
		"2030-01-32",
		"1969-12-31",
		"2030-01-01T24:00",
		"2030-01-01T23:60",
		"2030-01-01T1:00:00",
		"2030-01-01T01:00:0",
		"2030-01-01T01:00Zx",
		"2030-01-01x",
		"2030-01-01T01:00.",
		"2030-01-01T01:00+2",
		"2030-01-01T01:00+24:00",
		"-030-01-01",
		"1970-01-01T00:00+01:00",
	};
	struct timespec when = { .tv_sec = 42 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cr_expect_lt(timestamp_parse(texts[i], &when), 0, "%s was taken", texts[i]);
	cr_expect_eq(when.tv_sec, 42);
}
