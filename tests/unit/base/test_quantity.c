#include <errno.h>
#include <inttypes.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/quantity.h"

/* What both forms take and refuse is tested where options use them (test_option_value.c). */

Test(quantity, keeps_nanoseconds)
{
	uint64_t ns = 0;

	cr_expect_eq(quantity_duration("1h2m3s4ms5us6ns", &ns), 0);
	cr_expect_eq(ns, UINT64_C(3723004005006));
	cr_expect_eq(quantity_duration("5124095h", &ns), 0, "more than 63 bits, fewer than 64");
	cr_expect_eq(quantity_duration("5124096h", &ns), -ERANGE);
	cr_expect_eq(quantity_duration("5124095h5124095h", &ns), -ERANGE, "the sum");
}

Test(quantity, formats_durations)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "0.000000001s" },
		{ 300000000, "0.3s" },
		{ UINT64_C(1500000000), "1.5s" },
		{ UINT64_C(90000000000), "90s" },
		{ UINT64_MAX, "18446744073.709551615s" },
	};
	char text[QUANTITY_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_str_eq(quantity_format_duration(cases[i].ns, text), cases[i].text);
}

Test(quantity, thousandths)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "2", 0, 2000 },
		{ "1.5", 0, 1500 },
		{ "0.25", 0, 250 },
		{ "0.125", 0, 125 },
		{ "64", 0, 64000 },
		{ "64.999", 0, 64999 },
		{ "65", -ERANGE, 7 },
		{ "18446744073709551616", -ERANGE, 7 },
		{ "", -EINVAL, 7 },
		{ ".5", -EINVAL, 7 },
		{ "1.", -EINVAL, 7 },
		{ "1.2345", -EINVAL, 7 },
		{ "1.5x", -EINVAL, 7 },
		{ "1,5", -EINVAL, 7 },
		{ "-1", -EINVAL, 7 },
		{ " 1", -EINVAL, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 7;

		cr_expect_eq(quantity_thousandths(cases[i].text, 64, &value), cases[i].result, "\"%s\"", cases[i].text);
		cr_expect_eq(value, cases[i].value, "\"%s\": %" PRIu64, cases[i].text, value);
	}
}

/* The bound is the caller's; whatever it is, the product fits. */
Test(quantity, thousandths_do_not_wrap)
{
	uint64_t value = 7;

	cr_expect_eq(quantity_thousandths("18446744073709551", UINT64_MAX, &value), -ERANGE);
	cr_expect_eq(quantity_thousandths("18446744073709550.999", UINT64_MAX, &value), 0);
	cr_expect_eq(value, UINT64_C(18446744073709550999));
}

Test(quantity, digits_stop_where_they_end)
{
	const char *text = "12ab";
	uint64_t value = 0;

	cr_expect_eq(quantity_digits(&text, &value), 0);
	cr_expect_eq(value, 12);
	cr_expect_str_eq(text, "ab");
	cr_expect_eq(quantity_digits(&text, &value), -EINVAL);
	text = "18446744073709551616";
	cr_expect_eq(quantity_digits(&text, &value), -ERANGE);
	cr_expect_eq(value, 12, "a failure must not touch the output");
}
