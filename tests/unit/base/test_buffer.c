#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"

#define BUFFER(name, ...) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { __VA_ARGS__ }

Test(buffer, grows_and_stays_terminated)
{
	BUFFER(buffer, 0);

	for (unsigned i = 0; i < 1000; i++) {
		buffer_append(&buffer, "0123456789", 10);
		cr_assert_eq(buffer.length, 10 * (i + 1));
		cr_assert_eq(buffer.data[buffer.length], '\0');
	}
	cr_assert_eq(buffer.failed, 0);
	cr_assert_eq(strlen(buffer.data), 10000);
	cr_assert_eq(memcmp(buffer.data + 9990, "0123456789", 10), 0);
}

Test(buffer, takes_bytes_and_formats)
{
	BUFFER(buffer, 0);

	buffer_append(&buffer, "a\0b", 3);
	buffer_append_text(&buffer, "-");
	buffer_printf(&buffer, "%d%s", 42, "!");
	cr_assert_eq(buffer.length, 7);
	cr_assert_eq(memcmp(buffer.data, "a\0b-42!", 8), 0);
}

Test(buffer, limit_is_exact_and_sticky)
{
	BUFFER(buffer, .limit = 10);

	buffer_append_text(&buffer, "0123456789");
	cr_assert_eq(buffer.failed, 0);
	buffer_append_text(&buffer, "x");
	cr_assert_eq(buffer.failed, -EFBIG);
	cr_assert_str_eq(buffer.data, "0123456789", "what did not fit must not be there in part");
	buffer_append(&buffer, "", 0);
	buffer_printf(&buffer, "%s", "");
	cr_assert_eq(buffer.failed, -EFBIG);
	cr_assert_eq(buffer_reserve(&buffer, 0), -EFBIG);
	cr_assert_null(buffer_steal(&buffer));
}

Test(buffer, limit_holds_for_formats_and_huge_pieces)
{
	BUFFER(formatted, .limit = 10);
	BUFFER(huge, 0);

	buffer_printf(&formatted, "%11d", 1);
	cr_assert_eq(formatted.failed, -EFBIG);
	cr_assert_eq(buffer_reserve(&huge, SIZE_MAX), -EFBIG);
	cr_assert_null(huge.data);
}

Test(buffer, formats_what_has_room_and_what_has_none)
{
	for (int before = 240; before < 260; before++) {
		BUFFER(buffer, .limit = 265);

		buffer_printf(&buffer, "%*d", before, 1);
		cr_assert_eq(buffer.length, (size_t)before);
		buffer_printf(&buffer, "%5d", 2);
		cr_assert_eq(buffer.length, (size_t)before + 5);
		cr_assert_str_eq(buffer.data + before - 1, "1    2");
		buffer_printf(&buffer, "%26d", 3);
		cr_assert_eq(buffer.failed, -EFBIG);
		cr_assert_str_eq(buffer.data + before - 1, "1    2", "nothing of what did not fit");
	}
}

Test(buffer, default_limit)
{
	BUFFER(buffer, 0);

	cr_assert_eq(buffer_reserve(&buffer, BUFFER_LIMIT_DEFAULT + 1), -EFBIG);
}

Test(buffer, steal_hands_over_and_empties)
{
	BUFFER(buffer, 0);
	char *text;

	buffer_append_text(&buffer, "mine");
	text = buffer_steal(&buffer);
	cr_assert_str_eq(text, "mine");
	cr_assert_null(buffer.data);
	cr_assert_eq(buffer.length, 0);
	free(text);
	text = buffer_steal(&buffer);
	cr_assert_str_eq(text, "", "never NULL where nothing failed");
	free(text);
}

Test(buffer, reserve_leaves_room_for_the_end)
{
	BUFFER(buffer, 0);

	for (size_t n = 1; n < 5000; n = n * 3 + 1) {
		cr_assert_eq(buffer_reserve(&buffer, n), 0);
		cr_assert_gt(buffer.capacity - buffer.length, n);
		memset(buffer.data + buffer.length, 'x', n);
		buffer.length += n;
		buffer.data[buffer.length] = '\0';
	}
}

/* A line for people stays one line, and does nothing to their terminal. */
Test(buffer, a_label_stays_as_it_is)
{
	struct buffer buffer = { 0 };

	buffer_append_labelled(&buffer, ":\t", "a\t\x1b");
	cr_expect_str_eq(buffer.data, ":\ta\\t\\x1b");
	buffer_done(&buffer);
}

Test(buffer, visible_text_is_in_the_order_in_which_it_was_written)
{
	struct buffer buffer = { 0 };

	/* The first and the last of each run of such characters, two in a row, and their neighbours. */
	buffer_append_visible(
		&buffer, "\xe2\x80\xae\xe2\x81\xa9live\xd8\x9c.\xe2\x80\xa8\xe2\x80\x8e\xe2\x80\x90\xe2\x80\xaf\xd8\x9b",
		/* quoted= */ false);
	cr_expect_str_eq(buffer.data, "\\xe2\\x80\\xae\\xe2\\x81\\xa9live\\xd8\\x9c.\\xe2\\x80\\xa8\\xe2\\x80\\x8e"
				      "\xe2\x80\x90\xe2\x80\xaf\xd8\x9b");
	buffer_done(&buffer);
}

Test(buffer, visible_text_has_no_control_characters)
{
	BUFFER(plain, 0);
	BUFFER(quoted, 0);

	buffer_append_visible(&plain, "a\n\t\x1b[2J\x7f\xc2\x9b\r \"\\ \x9b\xc3\x9c\xc3\xa4", /* quoted= */ false);
	cr_expect_str_eq(plain.data, "a\\n\\t\\x1b[2J\\x7f\\xc2\\x9b\\x0d \"\\ \\x9b\xc3\x9c\xc3\xa4");
	buffer_append_visible(&quoted, "\"\\", /* quoted= */ true);
	cr_expect_str_eq(quoted.data, "\\\"\\\\");
}
