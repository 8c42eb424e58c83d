/* The writer, and what it writes read back. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/utf8.h"

static void write_sample(struct json_writer *writer)
{
	json_write_object_begin(writer);
	json_write_member(writer, "text", "a\"b");
	json_write_member(writer, "none", NULL);
	json_write_member_int(writer, "int", INT64_MIN);
	json_write_member_uint(writer, "uint", UINT64_MAX);
	json_write_member_bool(writer, "bool", false);
	json_write_key(writer, "list");
	json_write_array_begin(writer);
	json_write_int(writer, 1);
	json_write_object_begin(writer);
	json_write_object_end(writer);
	json_write_raw(writer, "[2]");
	json_write_array_end(writer);
	json_write_key(writer, "empty");
	json_write_array_begin(writer);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

Test(json_write, compact)
{
	struct buffer buffer = { 0 };
	struct json_writer writer = json_writer_on(&buffer, 0);

	write_sample(&writer);
	cr_expect_eq(buffer.failed, 0);
	cr_expect_str_eq(buffer.data, "{\"text\":\"a\\\"b\",\"none\":null,\"int\":-9223372036854775808,"
				      "\"uint\":18446744073709551615,\"bool\":false,\"list\":[1,{},[2]],\"empty\":[]}");
	buffer_done(&buffer);
}

Test(json_write, indented)
{
	struct buffer buffer = { 0 };
	struct json_writer writer = json_writer_on(&buffer, 2);

	write_sample(&writer);
	cr_expect_str_eq(buffer.data,
			 "{\n  \"text\": \"a\\\"b\",\n  \"none\": null,\n  \"int\": -9223372036854775808,\n"
			 "  \"uint\": 18446744073709551615,\n  \"bool\": false,\n  \"list\": [\n    1,\n    {},\n"
			 "    [2]\n  ],\n  \"empty\": []\n}");
	buffer_done(&buffer);
}

Test(json_write, lists_of_texts)
{
	static const char *const list[] = { "a", "b", NULL };
	struct buffer buffer = { 0 };
	struct json_writer writer = json_writer_on(&buffer, 0);

	json_write_object_begin(&writer);
	json_write_member_strings(&writer, "one", list, 1);
	json_write_member_strings(&writer, "none", NULL, 0);
	json_write_member_terminated(&writer, "all", list);
	json_write_member_terminated(&writer, "no", NULL);
	json_write_object_end(&writer);
	cr_expect_str_eq(buffer.data, "{\"one\":[\"a\"],\"none\":[],\"all\":[\"a\",\"b\"],\"no\":[]}");
	buffer_done(&buffer);
}

Test(json_write, text_is_read_in_the_order_in_which_it_was_written)
{
	struct buffer buffer = { 0 };
	const char text[] = "\xe2\x80\xae\xe2\x81\xa6live\xd8\x9c\xe2\x80\xa9\xe2\x80\x90";

	json_write_quoted(&buffer, text, sizeof(text) - 1);
	cr_expect_str_eq(buffer.data, "\"\\u202e\\u2066live\\u061c\\u2029\xe2\x80\x90\"");
	buffer_done(&buffer);
}

Test(json_write, escapes)
{
	struct buffer buffer = { 0 };

	json_write_quoted(&buffer, "\x01\n\t\\\"/\x7f\xc3\xa4\0z", 11);
	cr_expect_str_eq(buffer.data, "\"\\u0001\\n\\t\\\\\\\"/\\u007f\xc3\xa4\\u0000z\"");
	buffer.length = 0;
	/* Of the control characters beyond ASCII the first, CSI and the last; what comes after them is none. */
	json_write_quoted(&buffer, "\xc2\x80\xc2\x9b\x32J\xc2\x9f\xc2\xa0", 10);
	cr_expect_str_eq(buffer.data, "\"\\u0080\\u009b2J\\u009f\xc2\xa0\"");
	buffer_done(&buffer);
}

Test(json_write, output_is_utf8_whatever_comes_in)
{
	struct buffer buffer = { 0 };

	json_write_quoted(&buffer,
			  "a\xff"
			  "b\xc3",
			  4);
	cr_expect_str_eq(buffer.data, "\"a\xef\xbf\xbd"
				      "b\xef\xbf\xbd\"");
	buffer_done(&buffer);
}

Test(json_write, every_character_survives_a_round_trip)
{
	struct buffer buffer = { 0 };
	struct json_writer writer = json_writer_on(&buffer, 0);
	const struct json_type strings = JSON_ARRAY_OF(&json_string);
	struct {
		const char *const *list;
		size_t n;
	} read = { 0 };
	struct error err = { 0 };
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct json_input input;
	char text[2] = { 0 };

	json_write_array_begin(&writer);
	for (int c = 1; c < 128; c++) {
		text[0] = (char)c;
		json_write_string(&writer, text);
	}
	json_write_array_end(&writer);
	input = (struct json_input){ .text = buffer.data, .length = buffer.length };
	cr_assert_eq(json_decode(&input, &strings, &read, arena, &err), 0, "%s", err.message);
	cr_assert_eq(read.n, 127);
	for (int c = 1; c < 128; c++)
		cr_expect(read.list[c - 1][0] == c && read.list[c - 1][1] == '\0', "character %d", c);
	buffer_done(&buffer);
}

Test(utf8, valid_length)
{
	static const struct {
		const char *text;
		size_t valid;
	} cases[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "0123456789abcdef", 16 },
		{ "\xc3\xa4", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x98\x80", 4 },
		{ "0123456789\xff", 10 },
		{ "01234567\xc3", 8 },
		{ "\x80", 0 },
		{ "\xc1\x81", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "a\xe2\x82", 1 },
		{ "a\xe2\x28\xac", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(utf8_valid_length(cases[i].text, strlen(cases[i].text)), cases[i].valid, "case %zu", i);
}
