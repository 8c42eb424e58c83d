/* What is written by a table is read by it as the same. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/cleanup.h"
#include "base/json_encode.h"

static const struct name colours[] = { { "red", 0 }, { "green", 7 } };
static const struct name_table colour_names = { "colour", colours, ARRAY_SIZE(colours) };

struct point {
	int8_t x;
	int64_t y;
};
struct sample {
	const char *text;
	bool yes;
	uint16_t small;
	uint64_t large;
	uint32_t colour;
	struct point inner;
	const struct point *points;
	size_t n_points;
	const struct json_pair *pairs;
	size_t n_pairs;
	const char *const *texts;
	size_t n_texts;
	const struct point *behind;
	struct opt_u32 maybe;
};

static const struct json_type int8_type = JSON_SIGNED_OF(int8_t, INT8_MIN, INT8_MAX);
static const struct json_type colour_type = JSON_ENUM_OF(uint32_t, &colour_names);
static const struct json_field point_fields[] = {
	{ "x", &int8_type, offsetof(struct point, x), JSON_REQUIRED },
	{ "y", &json_i64, offsetof(struct point, y), 0 },
	{ 0 },
};
static const struct json_type point_type = JSON_OBJECT_OF(struct point, point_fields);
static const struct json_type points_type = JSON_ARRAY_OF(&point_type);
static const struct json_type point_pointer = JSON_POINTER_TO(&point_type);
static const struct json_field sample_fields[] = {
	{ "text", &json_string, offsetof(struct sample, text), 0 },
	{ "yes", &json_bool, offsetof(struct sample, yes), 0 },
	{ "small", &json_u16, offsetof(struct sample, small), 0 },
	{ "large", &json_u64, offsetof(struct sample, large), 0 },
	{ "colour", &colour_type, offsetof(struct sample, colour), 0 },
	{ "inner", &point_type, offsetof(struct sample, inner), 0 },
	{ "points", &points_type, JSON_COUNTED(struct sample, points), JSON_REQUIRED },
	{ "pairs", &json_pairs, JSON_COUNTED(struct sample, pairs), 0 },
	{ "texts", &json_strings, JSON_COUNTED(struct sample, texts), 0 },
	{ "behind", &point_pointer, offsetof(struct sample, behind), 0 },
	{ "maybe", &json_opt_u32, offsetof(struct sample, maybe), 0 },
	{ 0 },
};
static const struct json_type sample_type = JSON_OBJECT_OF(struct sample, sample_fields);

static void expect_text(const struct sample *sample, const char *expected)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	json_encode(&writer, &sample_type, sample);
	cr_assert_not(text.failed);
	cr_expect_str_eq(text.data, expected);
}

static const struct point points[] = { { -128, INT64_MIN }, { 127, INT64_MAX } };
static const struct json_pair pairs[] = { { "", "a\"b" }, { "k", "" } };
static const char *const texts[] = { "one", "" };
static const struct sample full = {
	.text = "t\n",
	.yes = true,
	.small = UINT16_MAX,
	.large = UINT64_MAX,
	.colour = 7,
	.inner = { -1, -2 },
	.points = points,
	.n_points = 2,
	.pairs = pairs,
	.n_pairs = 2,
	.texts = texts,
	.n_texts = 2,
	.behind = points,
	.maybe = { .set = true, .value = 0 },
};

#define FULL                                                                                                      \
	"{\"text\":\"t\\n\",\"yes\":true,\"small\":65535,\"large\":18446744073709551615,\"colour\":\"green\","    \
	"\"inner\":{\"x\":-1,\"y\":-2},\"points\":[{\"x\":-128,\"y\":-9223372036854775808},"                      \
	"{\"x\":127,\"y\":9223372036854775807}],\"pairs\":{\"\":\"a\\\"b\",\"k\":\"\"},\"texts\":[\"one\",\"\"]," \
	"\"behind\":{\"x\":-128,\"y\":-9223372036854775808},\"maybe\":0}"

Test(json_encode, every_kind)
{
	expect_text(&full, FULL);
}

Test(json_encode, what_holds_nothing_is_left_out_unless_it_is_required)
{
	expect_text(&(struct sample){ 0 }, "{\"points\":[]}");
	expect_text(&(struct sample){ .inner = { .y = 1 } }, "{\"inner\":{\"x\":0,\"y\":1},\"points\":[]}");
}

Test(json_encode, an_empty_list_that_is_there_stays_there)
{
	expect_text(&(struct sample){ .texts = texts, .pairs = pairs }, "{\"points\":[],\"pairs\":{},\"texts\":[]}");
}

Test(json_encode, is_read_back_as_the_same)
{
	AUTO(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
	struct json_input input = { .text = FULL, .length = strlen(FULL), .strict = true };
	struct sample read = { 0 };
	struct error err = { 0 };

	cr_assert_eq(json_decode(&input, &sample_type, &read, arena, &err), 0, "%s", err.message);
	expect_text(&read, FULL);
}
