#include <errno.h>
#include <stdint.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/number_list.h"

Test(number_list, sets_the_bits_of_ranges_and_numbers)
{
	struct number_list list;

	cr_expect_eq(number_list_parse("0-3,7", &list), 0);
	cr_expect_eq(list.n_words, 1);
	cr_expect_eq(list.bits[0], 0x8f);
	cr_expect_eq(number_list_parse(",,64,62-65,", &list), 0, "the kernel takes commas too many");
	cr_expect_eq(list.n_words, 2);
	cr_expect_eq(list.bits[0], UINT64_C(3) << 62);
	cr_expect_eq(list.bits[1], 3);
	cr_expect_eq(number_list_parse("8191", &list), 0);
	cr_expect_eq(list.n_words, ARRAY_SIZE(list.bits));
}

Test(number_list, refuses_what_is_no_list)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "", -EINVAL },
		{ ",", -EINVAL },
		{ "-", -EINVAL },
		{ "1-", -EINVAL },
		{ "-1", -EINVAL },
		{ "3-1", -EINVAL },
		{ "1-2-3", -EINVAL },
		{ "0 1", -EINVAL },
		{ "0x1", -EINVAL },
		{ "0-7:1/2", -EINVAL },
		{ "8192", -ERANGE },
		{ "0-18446744073709551615", -ERANGE },
		{ "99999999999999999999", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct number_list list = { .n_words = 77 };

		cr_expect_eq(number_list_parse(cases[i].text, &list), cases[i].code, "%s", cases[i].text);
		cr_expect_eq(list.n_words, 77, "a failed parse must not touch its output");
	}
}
