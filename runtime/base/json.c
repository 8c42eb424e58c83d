/* The only user of yajl: its events go to json_build.c, its errors are given a place. */
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/json_build.h"
#include "base/utf8.h"

struct decoder {
	struct json_build build;
	int result;
};

/* yajl goes on after any value but 0. */
static int take(struct decoder *decoder, int r)
{
	decoder->result = r;
	return r == 0;
}

static struct json_build *build_of(struct decoder *decoder)
{
	return &decoder->build;
}

static int on_null(void *context)
{
	return take(context, json_build_value(build_of(context), &(struct json_value){ .kind = JSON_VALUE_NULL }));
}

static int on_boolean(void *context, int value)
{
	return take(context, json_build_value(build_of(context),
					      &(struct json_value){ .kind = JSON_VALUE_BOOL, .is_true = value }));
}

static int on_number(void *context, const char *text, size_t length)
{
	struct json_value value = { .kind = JSON_VALUE_NUMBER, .text = text, .length = length };

	return take(context, json_build_value(build_of(context), &value));
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
	struct json_value value = { .kind = JSON_VALUE_STRING, .text = (const char *)text, .length = length };

	return take(context, json_build_value(build_of(context), &value));
}

static int on_start_map(void *context)
{
	return take(context, json_build_value(build_of(context), &(struct json_value){ .kind = JSON_VALUE_OBJECT }));
}

static int on_map_key(void *context, const unsigned char *key, size_t length)
{
	return take(context, json_build_key(build_of(context), (const char *)key, length));
}

static int on_start_array(void *context)
{
	return take(context, json_build_value(build_of(context), &(struct json_value){ .kind = JSON_VALUE_ARRAY }));
}

static int on_end(void *context)
{
	return take(context, json_build_end(build_of(context)));
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

static int error_at(const struct json_input *input, size_t offset, const char *what, struct error *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset && i < input->length; i++) {
		column++;
		if (input->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_invalid(err, "line %zu, column %zu: %s", line, column, what);
}

static int syntax_error(yajl_handle handle, const struct json_input *input, bool at_end, struct error *err)
{
	size_t offset = at_end ? input->length : yajl_get_bytes_consumed(handle);
	unsigned char *text = yajl_get_error(handle, /* verbose= */ 0, NULL, 0);
	const char *why = text ? (const char *)text : "the parser found no memory";
	char what[160];

	/* yajl has consumed the offending character already, and its text ends in a newline. */
	snprintf(what, sizeof(what), "no valid JSON: %.*s", (int)strcspn(why, "\n"), why);
	yajl_free_error(handle, text);
	return error_at(input, offset && !at_end ? offset - 1 : offset, what, err);
}

static int check_input(const struct json_input *input, const struct json_limits *limits, struct error *err)
{
	size_t valid;

	if (input->length > limits->bytes)
		return error_invalid(err, "the document has %zu bytes; at most %zu are allowed", input->length,
				     limits->bytes);
	valid = utf8_valid_length(input->text, input->length);
	return valid < input->length ? error_at(input, valid, "no valid UTF-8", err) : 0;
}

static void cleanup_yajl(yajl_handle *handle)
{
	if (*handle)
		yajl_free(*handle);
}

static int parse(struct decoder *decoder, const struct json_input *input)
{
	yajl_handle handle __attribute__((cleanup(cleanup_yajl))) = yajl_alloc(&callbacks, NULL, decoder);
	yajl_status status;
	bool at_end = false;

	if (!handle)
		return error_memory(&decoder->build.error);
	/* Done already, and stricter, by check_input(). */
	yajl_config(handle, yajl_dont_validate_strings, 1);
	status = yajl_parse(handle, (const unsigned char *)input->text, input->length);
	if (status == yajl_status_ok) {
		at_end = true;
		status = yajl_complete_parse(handle);
	}
	if (decoder->result < 0)
		return decoder->result;
	return status == yajl_status_ok ? 0 : syntax_error(handle, input, at_end, &decoder->build.error);
}

static struct json_limits effective_limits(const struct json_limits *limits)
{
	struct json_limits result = limits ? *limits : (struct json_limits){ 0 };

	result.bytes = result.bytes ?: JSON_BYTES_DEFAULT;
	result.string = result.string ?: JSON_STRING_DEFAULT;
	result.elements = result.elements ?: JSON_ELEMENTS_DEFAULT;
	result.depth = result.depth ?: JSON_DEPTH_DEFAULT;
	if (result.depth > JSON_DEPTH_MAX)
		result.depth = JSON_DEPTH_MAX;
	return result;
}

int json_decode(const struct json_input *input, const struct json_type *type, void *target, struct arena *arena,
		struct error *err)
{
	struct decoder decoder;
	int r;

	/* Not an initialiser: the frames are most of it, and written before they are read. */
	decoder.result = 0;
	json_build_init(&decoder.build, type, target, arena);
	decoder.build.limits = effective_limits(input->limits);
	decoder.build.strict = input->strict;
	r = check_input(input, &decoder.build.limits, &decoder.build.error);
	if (r == 0)
		r = parse(&decoder, input);
	if (r < 0 && err)
		*err = decoder.build.error;
	return r;
}
