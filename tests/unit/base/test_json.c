/* The decoder: every kind of target, the caps, and what a hostile text is answered with. */
#include <criterion/criterion.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

enum colour { RED = 1, GREEN = 2, BLUE = 4 };

struct inner {
	const char *name;
	int number;
};

struct sample {
	const char *text, *maybe_text;
	bool yes;
	int number;
	int64_t i64;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;
	uint32_t colour;
	uint64_t colours;
	struct opt_u64 set_colours;
	struct opt_bool opt_bool;
	struct opt_int opt_int;
	struct opt_i64 opt_i64;
	struct opt_u16 opt_u16;
	struct opt_u32 opt_u32;
	struct opt_u64 opt_u64;
	struct inner inner;
	const struct inner *pointer;
	const struct inner *list;
	size_t n_list;
	const char *const *strings;
	size_t n_strings;
	const uint32_t *numbers;
	size_t n_numbers;
	const struct json_pair *pairs;
	size_t n_pairs;
	const struct inner *map;
	size_t n_map;
	size_t length;
};

static int convert_length(const char *text, void *target, struct arena *unused, struct error *err)
{
	(void)unused;
	if (strcmp(text, "bad") == 0)
		return error_invalid(err, "bad text");
	*(size_t *)target = strlen(text);
	return 0;
}

static const struct name colour_list[] = { { "red", RED }, { "green", GREEN }, { "blue", BLUE } };
static const struct name_table colours = { "colour", colour_list, 3 };
static const struct json_type colour_type = JSON_ENUM_OF(uint32_t, &colours);
static const struct json_type colours_type = JSON_FLAGS_OF(uint64_t, &colours);
static const struct json_type set_colours_type = JSON_OPTIONAL_OF(struct opt_u64, &colours_type);
static const struct json_type u8_type = JSON_UNSIGNED_OF(uint8_t, 255);
static const struct json_type length_type = { .kind = JSON_CONVERT, .size = sizeof(size_t), .convert = convert_length };
static const struct json_field inner_fields[] = {
	{ "name", &json_string, offsetof(struct inner, name), JSON_REQUIRED },
	{ "number", &json_int, offsetof(struct inner, number) },
	{ 0 },
};
static const struct json_type inner_type = JSON_OBJECT_OF(struct inner, inner_fields);
static const struct json_type pointer_type = JSON_POINTER_TO(&inner_type);
static const struct json_type list_type = JSON_ARRAY_OF(&inner_type);
static const struct json_field entry_fields[] = { { "number", &json_int, offsetof(struct inner, number) }, { 0 } };
static const struct json_type entry_type = JSON_OBJECT_OF(struct inner, entry_fields);
static const struct json_type map_type = JSON_MAP_OF(struct inner, &entry_type);
static const struct json_field sample_fields[] = {
	{ "text", &json_string, offsetof(struct sample, text) },
	{ "maybeText", &json_text, offsetof(struct sample, maybe_text) },
	{ "yes", &json_bool, offsetof(struct sample, yes) },
	{ "number", &json_int, offsetof(struct sample, number) },
	{ "i64", &json_i64, offsetof(struct sample, i64) },
	{ "u64", &json_u64, offsetof(struct sample, u64) },
	{ "u32", &json_u32, offsetof(struct sample, u32) },
	{ "u16", &json_u16, offsetof(struct sample, u16) },
	{ "u8", &u8_type, offsetof(struct sample, u8) },
	{ "colour", &colour_type, offsetof(struct sample, colour) },
	{ "colours", &colours_type, offsetof(struct sample, colours) },
	{ "setColours", &set_colours_type, offsetof(struct sample, set_colours) },
	{ "optBool", &json_opt_bool, offsetof(struct sample, opt_bool) },
	{ "optInt", &json_opt_int, offsetof(struct sample, opt_int) },
	{ "optI64", &json_opt_i64, offsetof(struct sample, opt_i64) },
	{ "optU16", &json_opt_u16, offsetof(struct sample, opt_u16) },
	{ "optU32", &json_opt_u32, offsetof(struct sample, opt_u32) },
	{ "optU64", &json_opt_u64, offsetof(struct sample, opt_u64) },
	{ "inner", &inner_type, offsetof(struct sample, inner) },
	{ "pointer", &pointer_type, offsetof(struct sample, pointer) },
	{ "list", &list_type, JSON_COUNTED(struct sample, list) },
	{ "strings", &json_strings, JSON_COUNTED(struct sample, strings) },
	{ "numbers", &json_u32s, JSON_COUNTED(struct sample, numbers) },
	{ "pairs", &json_pairs, JSON_COUNTED(struct sample, pairs) },
	{ "map", &map_type, JSON_COUNTED(struct sample, map) },
	{ "length", &length_type, offsetof(struct sample, length) },
	{ "ignored", &json_ignored },
	{ 0 },
};
static const struct json_type sample_type = JSON_OBJECT_OF(struct sample, sample_fields);

/* Everything that a test decodes lives until its end. */
static struct arena *arena;

static void make_arena(void)
{
	arena = arena_new(64 << 20);
}

static void drop_arena(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(json, .init = make_arena, .fini = drop_arena);

static int decode_n(const char *text, size_t length, const struct json_limits *limits, struct sample *ret,
		    struct error *err)
{
	const struct json_input input = { .text = text, .length = length, .limits = limits };

	*ret = (struct sample){ 0 };
	*err = (struct error){ 0 };
	return json_decode(&input, &sample_type, ret, arena, err);
}

static struct sample decoded(const char *text)
{
	struct sample sample;
	struct error err;

	cr_assert_eq(decode_n(text, strlen(text), NULL, &sample, &err), 0, "%s: %s", text, err.message);
	return sample;
}

static void expect_refused(const char *text, const char *message)
{
	struct sample sample;
	struct error err;

	cr_expect_eq(decode_n(text, strlen(text), NULL, &sample, &err), -EINVAL, "%s was taken", text);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_str_eq(err.message, message, "%s\n gave %s\n not  %s", text, err.message, message);
}

Test(json, scalars)
{
	struct sample sample =
		decoded("{\"text\": \"a\\u00e4\\n\\\"\", \"yes\": true, \"number\": -7, \"i64\": -9223372036854775808,"
			"\"u64\": 18446744073709551615, \"u32\": 4294967295, \"u16\": 65535, \"u8\": 255,"
			"\"colour\": \"blue\", \"length\": \"four\"}");

	cr_expect_str_eq(sample.text, "a\xc3\xa4\n\"");
	cr_expect(sample.yes);
	cr_expect_eq(sample.number, -7);
	cr_expect_eq(sample.i64, INT64_MIN);
	cr_expect_eq(sample.u64, UINT64_MAX);
	cr_expect_eq(sample.u32, UINT32_MAX);
	cr_expect_eq(sample.u16, UINT16_MAX);
	cr_expect_eq(sample.u8, 255);
	cr_expect_eq(sample.colour, BLUE);
	cr_expect_eq(sample.length, 4);
}

Test(json, optional_values_tell_absent_from_zero)
{
	struct sample sample =
		decoded("{\"optBool\": false, \"optInt\": 0, \"optI64\": -1, \"optU16\": 2, \"optU32\": null}");

	cr_expect(sample.opt_bool.set && !sample.opt_bool.value);
	cr_expect(sample.opt_int.set && sample.opt_int.value == 0);
	cr_expect(sample.opt_i64.set && sample.opt_i64.value == -1);
	cr_expect(sample.opt_u16.set && sample.opt_u16.value == 2);
	cr_expect_not(sample.opt_u32.set);
	cr_expect_not(sample.opt_u64.set);
}

Test(json, flags_are_ored)
{
	struct sample sample = decoded("{\"colours\": [\"red\", \"blue\", \"red\"], \"setColours\": []}");

	cr_expect_eq(sample.colours, RED | BLUE);
	cr_expect(sample.set_colours.set, "an empty list is a list");
	cr_expect_eq(sample.set_colours.value, 0);
	cr_expect_not(decoded("{\"setColours\": null}").set_colours.set);
}

Test(json, objects_and_pointers)
{
	struct sample sample = decoded("{\"inner\": {\"number\": 3, \"name\": \"x\"}, \"pointer\": {\"name\": \"p\"}}");

	cr_expect_str_eq(sample.inner.name, "x");
	cr_expect_eq(sample.inner.number, 3);
	cr_assert_not_null(sample.pointer);
	cr_expect_str_eq(sample.pointer->name, "p");
	cr_expect_null(decoded("{\"pointer\": null}").pointer);
}

Test(json, lists_keep_their_order_while_they_grow)
{
	struct buffer text = { 0 };
	struct sample sample;

	buffer_append_text(&text, "{\"list\": [");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&text, "%s{\"name\": \"n%d\", \"number\": %d}", i ? "," : "", i, i);
	buffer_append_text(&text, "], \"numbers\": [1, 2, 3], \"strings\": [\"a\", \"\"]}");
	sample = decoded(text.data);
	cr_assert_eq(sample.n_list, 1000);
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(sample.list[i].number, i);
		cr_assert_eq(atoi(sample.list[i].name + 1), i);
	}
	cr_assert_eq(sample.n_numbers, 3);
	cr_expect_eq(sample.numbers[2], 3);
	cr_assert_eq(sample.n_strings, 2);
	cr_expect_str_eq(sample.strings[1], "");
	buffer_done(&text);
}

Test(json, empty_lists_differ_from_absent_ones)
{
	struct sample sample = decoded("{\"strings\": [], \"pairs\": {}}");

	cr_expect_not_null(sample.strings);
	cr_expect_eq(sample.n_strings, 0);
	cr_expect_not_null(sample.pairs);
	cr_expect_null(decoded("{\"strings\": null}").strings);
	cr_expect_null(decoded("{}").strings);
}

Test(json, maps)
{
	struct sample sample = decoded(
		"{\"pairs\": {\"a\": \"1\", \"\": \"2\", \"gone\": null}, \"map\": {\"x\": {\"number\": 5}, \"y\": {}}}");

	cr_assert_eq(sample.n_pairs, 2);
	cr_expect_str_eq(sample.pairs[0].name, "a");
	cr_expect_str_eq(sample.pairs[0].value, "1");
	cr_expect_str_eq(sample.pairs[1].name, "");
	cr_assert_eq(sample.n_map, 2);
	cr_expect_str_eq(sample.map[0].name, "x");
	cr_expect_eq(sample.map[0].number, 5);
	cr_expect_str_eq(sample.map[1].name, "y");
}

Test(json, null_and_empty_text_count_as_absent)
{
	struct sample sample =
		decoded("{\"text\": null, \"maybeText\": \"\", \"number\": null, \"inner\": null, \"colour\": null}");

	cr_expect_null(sample.text);
	cr_expect_null(sample.maybe_text);
	cr_expect_str_eq(decoded("{\"maybeText\": \"x\"}").maybe_text, "x");
}

Test(json, unknown_fields_are_skipped_whatever_they_hold)
{
	struct sample sample = decoded(
		"{\"new\": {\"a\": [1, {\"number\": 2}], \"number\": 9}, \"ignored\": [[]], \"number\": 1, \"x\": 1e99}");

	cr_expect_eq(sample.number, 1);
}

Test(json, strict_documents_have_no_unknown_fields_and_no_null)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{\"nonsense\":1}", "unknown key \"nonsense\"; there is: text, " },
		{ "{\"text\":null}", "text: expected a string, found null" },
		{ "{\"inner\":{\"nam\":\"x\"}}", "inner: unknown key \"nam\"; there is: name, number" },
		{ "{\"inner\":null}", "inner: expected an object, found null" },
		{ "{\"list\":[{\"name\":\"x\",\"\":2}]}", "list[0]: unknown key \"\"; there is: name, number" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_input input = { .text = cases[i].text, .length = strlen(cases[i].text), .strict = true };
		struct sample sample = { 0 };
		struct error err = { 0 };

		cr_expect_eq(json_decode(&input, &sample_type, &sample, arena, &err), -EINVAL, "%s", cases[i].text);
		cr_expect_eq(strncmp(err.message, cases[i].message, strlen(cases[i].message)), 0, "%s: %s",
			     cases[i].text, err.message);
		input.strict = false;
		sample = (struct sample){ 0 };
		err = (struct error){ 0 };
		if (i != 2) /* where a required field is missing then */
			cr_expect_eq(json_decode(&input, &sample_type, &sample, arena, &err), 0, "%s", err.message);
	}
}

Test(json, errors_say_where_and_what)
{
	static const struct {
		const char *text, *message;
	} refused[] = {
		{ "{\"text\": 1}", "text: expected a string, found 1" },
		{ "{\"text\": {}}", "text: expected a string, found an object" },
		{ "{\"yes\": \"true\"}", "yes: expected true or false, found the string \"true\"" },
		{ "{\"u32\": -1}", "u32: expected an integer from 0 to 4294967295, found -1" },
		{ "{\"u32\": 4294967296}", "u32: expected an integer from 0 to 4294967295, found 4294967296" },
		{ "{\"u32\": 1.0}", "u32: expected an integer from 0 to 4294967295, found 1.0" },
		{ "{\"u32\": 1e3}", "u32: expected an integer from 0 to 4294967295, found 1e3" },
		{ "{\"u32\": \"5\"}", "u32: expected an integer from 0 to 4294967295, found the string \"5\"" },
		{ "{\"optU16\": 65536}", "optU16: expected an integer from 0 to 65535, found 65536" },
		{ "{\"u64\": 18446744073709551616}",
		  "u64: expected an integer from 0 to 18446744073709551615, found 18446744073709551616" },
		{ "{\"i64\": 9223372036854775808}",
		  "i64: expected an integer from -9223372036854775808 to 9223372036854775807, found 9223372036854775808" },
		{ "{\"i64\": -9223372036854775809}",
		  "i64: expected an integer from -9223372036854775808 to 9223372036854775807, found -9223372036854775809" },
		{ "{\"number\": -2147483649}",
		  "number: expected an integer from -2147483648 to 2147483647, found -2147483649" },
		{ "{\"colour\": \"pink\"}", "colour: \"pink\" is not a known colour; allowed: red, green, blue" },
		{ "{\"colours\": [\"red\", \"\"]}", "colours[1]: \"\" is not a known colour; allowed: red, green, blue" },
		{ "{\"colours\": \"red\"}", "colours: expected an array, found the string \"red\"" },
		{ "{\"colours\": [[]]}", "colours[0]: expected a string, found an array" },
		{ "{\"colour\": \"re\\u0000d\"}",
		  "colour: \"re\\u0000d\" is not a known colour; allowed: red, green, blue" },
		{ "{\"inner\": {}}", "inner: \"name\" is missing; it is required" },
		{ "{\"inner\": {\"name\": null}}", "inner: \"name\" is missing; it is required" },
		{ "{\"inner\": []}", "inner: expected an object, found an array" },
		{ "{\"list\": {}}", "list: expected an array, found an object" },
		{ "{\"list\": [{\"name\": \"a\"}, {\"name\": \"b\", \"number\": true}]}",
		  "list[1].number: expected an integer from -2147483648 to 2147483647, found true" },
		{ "{\"list\": [{\"name\": \"a\"}, {}]}", "list[1]: \"name\" is missing; it is required" },
		{ "{\"strings\": [\"a\", null]}", "strings[1]: expected a string, found null" },
		{ "{\"list\": [null]}", "list[0]: expected an object, found null" },
		{ "{\"pairs\": {\"a.b\": 1}}", "pairs[\"a.b\"]: expected a string, found 1" },
		{ "{\"pairs\": {\"a\": \"1\", \"b\": \"\", \"a\": \"2\"}}", "pairs: \"a\" is there twice" },
		{ "{\"map\": {\"x\": {\"number\": \"\"}}}",
		  "map[\"x\"].number: expected an integer from -2147483648 to 2147483647, found the string \"\"" },
		{ "{\"number\": 1, \"text\": \"\", \"number\": 1}", "number: the field is there twice" },
		{ "{\"number\": null, \"number\": 1}", "number: the field is there twice" },
		{ "{\"text\": \"a\\u0000b\"}", "text: the string contains a NUL character" },
		{ "{\"pairs\": {\"a\\u0000\": \"\"}}", "pairs: the string contains a NUL character" },
		{ "{\"length\": \"bad\"}", "length: bad text" },
		{ "[]", "expected an object, found an array" },
		{ "null", "expected an object, found null" },
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		expect_refused(refused[i].text, refused[i].message);
}

Test(json, long_values_are_cut_in_messages)
{
	struct sample sample;
	struct error err;
	char text[1000];

	snprintf(text, sizeof(text), "{\"colour\": \"%0900d\"}", 0);
	cr_expect_eq(decode_n(text, strlen(text), NULL, &sample, &err), -EINVAL);
	cr_expect_lt(strlen(err.message), 200);
	cr_expect_not_null(strstr(err.message, "\"... is not a known colour"));
}

Test(json, text_that_is_no_json_has_a_line_and_a_column)
{
	expect_refused("", "line 1, column 1: no valid JSON: parse error: premature EOF");
	expect_refused("{\n  \"number\": 1,\n", "line 3, column 1: no valid JSON: parse error: premature EOF");
	expect_refused("{} {}", "line 1, column 4: no valid JSON: parse error: trailing garbage");
	expect_refused("{\"text\": \"a\xff\"}", "line 1, column 12: no valid UTF-8");
	expect_refused("{\n\"text\": nul}",
		       "line 2, column 11: no valid JSON: lexical error: invalid string in json text.");
}

Test(json, refuses_what_json_does_not_have)
{
	static const char *const texts[] = {
		"{\"number\": 01}",
		"{\"number\": +1}",
		"{\"number\": .5}",
		"{\"number\": 1.}",
		"{\"number\": 0x1}",
		"{\"number\": NaN}",
		"{\"text\": 'a'}",
		"{\"text\": \"\t\"}",
		"{\"text\": \"\\x\"}",
		"{number: 1}",
		"{\"number\": 1,}",
		"{\"strings\": [,]}",
		"/* */ {}",
		"\xef\xbb\xbf{}",
		"{\"text\": \"\\u12\"}",
		"{\"text\": \"\\u12g4\"}",
		"{\"text\": \"\xed\xa0\x80\"}",
		"{\"text\": \"\xc0\xaf\"}",
		"{\"text\": \"\xf4\x90\x80\x80\"}",
	};
	struct sample sample;
	struct error err;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(decode_n(texts[i], strlen(texts[i]), NULL, &sample, &err), -EINVAL, "%s was taken",
			     texts[i]);
	cr_expect_eq(decode_n("{}\0", 3, NULL, &sample, &err), -EINVAL, "a NUL byte was taken");
}

static void expect_capped(const char *text, const struct json_limits *limits, const char *message)
{
	struct sample sample;
	struct error err;

	cr_expect_eq(decode_n(text, strlen(text), limits, &sample, &err), -EINVAL, "%s was taken", text);
	cr_expect_str_eq(err.message, message, "got: %s", err.message);
}

Test(json, caps)
{
	const struct json_limits limits = { .bytes = 120, .string = 8, .elements = 3, .depth = 4 };
	char text[200];

	snprintf(text, sizeof(text), "{%150s}", "");
	expect_capped(text, &limits, "the document has 152 bytes; at most 120 are allowed");
	expect_capped("{\"text\": \"123456789\"}", &limits, "text: a string longer than 8 bytes");
	expect_capped("{\"x\": [\"123456789\"]}", &limits, "a string longer than 8 bytes");
	expect_capped("{\"123456789\": 1}", &limits, "a key longer than 8 bytes");
	expect_capped("{\"pairs\": {\"123456789\": \"\"}}", &limits, "pairs: a key longer than 8 bytes");
	expect_capped("{\"numbers\": [1, 2, 3, 4]}", &limits, "numbers[2]: more than 3 elements");
	expect_capped("{\"colours\": [\"red\", \"red\", \"red\", \"red\"]}", &limits, "colours[3]: more than 3 elements");
	expect_capped("{\"pairs\": {\"a\": \"\", \"b\": \"\", \"c\": \"\", \"d\": \"\"}}", &limits,
		      "pairs[\"d\"]: more than 3 elements");
	expect_capped("{\"x\": [[[[]]]]}", &limits, "nested deeper than 4 levels");
}

Test(json, depth_is_capped_before_the_stack_is)
{
	struct buffer text = { 0 };
	struct sample sample;
	struct error err;
	const struct json_limits limits = { .depth = 1000 };

	buffer_append_text(&text, "{\"x\": ");
	for (int i = 0; i < 1000000; i++)
		buffer_append(&text, "[", 1);
	cr_expect_eq(decode_n(text.data, text.length, NULL, &sample, &err), -EINVAL);
	cr_expect_str_eq(err.message, "nested deeper than 32 levels");
	cr_expect_eq(decode_n(text.data, text.length, &limits, &sample, &err), -EINVAL);
	cr_expect_str_eq(err.message, "nested deeper than 64 levels");
	buffer_done(&text);
}

Test(json, memory_is_capped_by_the_arena)
{
	AUTO(arena_free) struct arena *small = arena_new(4096);
	struct buffer text = { 0 };
	struct sample sample = { 0 };
	struct error err = { 0 };
	struct json_input input;

	buffer_append_text(&text, "{\"strings\": [\"\"");
	for (int i = 0; i < 1000; i++)
		buffer_append_text(&text, ",\"\"");
	buffer_append_text(&text, "]}");
	input = (struct json_input){ .text = text.data, .length = text.length };
	cr_expect_eq(json_decode(&input, &sample_type, &sample, small, &err), -ENOMEM);
	cr_expect_eq(json_decode(&input, &sample_type, &sample, small, NULL), -ENOMEM);
	buffer_done(&text);
}
