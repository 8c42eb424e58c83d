#include "base/json_scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/utf8.h"

/* How much of a hostile string a message shows. */
#define SHOWN_MAX 64
#define DESCRIBE_MAX 512

static const char *describe_type(const struct json_type *type, char *text, size_t size)
{
	switch (type->kind) {
	case JSON_STRING:
	case JSON_ENUM:
	case JSON_CONVERT:
		return "a string";
	case JSON_BOOL:
		return "true or false";
	case JSON_SIGNED:
	case JSON_UNSIGNED:
		snprintf(text, size, "an integer from %" PRId64 " to %" PRIu64, type->min, type->max);
		return text;
	case JSON_FLAGS:
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
	case JSON_MAP:
		return "an object";
	case JSON_POINTER:
	case JSON_OPTIONAL:
		return describe_type(type->element, text, size);
	case JSON_IGNORED:
		return "anything";
	}
	return "a value";
}

/* At most SHOWN_MAX bytes of text, in quotes and escaped, into shown. */
static const char *quote(const char *text, size_t length, char *shown, size_t size)
{
	struct buffer buffer __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	size_t valid = utf8_valid_length(text, length < SHOWN_MAX ? length : SHOWN_MAX);

	json_write_quoted(&buffer, text, valid);
	snprintf(shown, size, "%s%s", buffer.failed ? "a string" : buffer.data, valid < length ? "..." : "");
	return shown;
}

static const char *describe_value(const struct json_value *value, char *text, size_t size)
{
	char shown[DESCRIBE_MAX - 16];

	switch (value->kind) {
	case JSON_VALUE_NULL:
		return "null";
	case JSON_VALUE_BOOL:
		return value->is_true ? "true" : "false";
	case JSON_VALUE_NUMBER:
		snprintf(text, size, "%.*s", (int)(value->length < SHOWN_MAX ? value->length : SHOWN_MAX), value->text);
		return text;
	case JSON_VALUE_STRING:
		snprintf(text, size, "the string %s", quote(value->text, value->length, shown, sizeof(shown)));
		return text;
	case JSON_VALUE_OBJECT:
		return "an object";
	case JSON_VALUE_ARRAY:
		return "an array";
	}
	return "something else";
}

static int mismatch(const struct json_type *type, const struct json_value *value, struct error *err)
{
	char expected[96], found[DESCRIBE_MAX];

	return error_invalid(err, "expected %s, found %s", describe_type(type, expected, sizeof(expected)),
			     describe_value(value, found, sizeof(found)));
}

static void put_unsigned(void *target, size_t size, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	/* memcpy of the right width: the target may be any integer type, on either byte order. */
	if (size == sizeof(u8))
		memcpy(target, &u8, size);
	else if (size == sizeof(u16))
		memcpy(target, &u16, size);
	else if (size == sizeof(u32))
		memcpy(target, &u32, size);
	else
		memcpy(target, &value, sizeof(value));
}

uint64_t json_scalar_load(const void *value, size_t size)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	if (size == sizeof(u8)) {
		memcpy(&u8, value, size);
		return u8;
	}
	if (size == sizeof(u16)) {
		memcpy(&u16, value, size);
		return u16;
	}
	if (size == sizeof(u32)) {
		memcpy(&u32, value, size);
		return u32;
	}
	memcpy(&u64, value, sizeof(u64));
	return u64;
}

/* Digits alone: 1.0, 1e3 and whatever overflows 64 bits are refused, never rounded. */
static bool parse_magnitude(const char *text, size_t length, uint64_t *ret)
{
	uint64_t value = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

static bool parse_integer(const struct json_type *type, const struct json_value *value, uint64_t *ret)
{
	bool negative = value->length > 0 && value->text[0] == '-';
	uint64_t magnitude;

	if (value->kind != JSON_VALUE_NUMBER ||
	    !parse_magnitude(value->text + negative, value->length - negative, &magnitude))
		return false;
	if (!negative) {
		*ret = magnitude;
		return magnitude <= type->max && (type->min <= 0 || magnitude >= (uint64_t)type->min);
	}
	/* Two's complement: 0 - min is its magnitude also for INT64_MIN. */
	*ret = 0 - magnitude;
	if (magnitude == 0)
		return true;
	return type->kind == JSON_SIGNED && type->min < 0 && magnitude <= 0 - (uint64_t)type->min;
}

/* With all that is allowed, since the reader has only the message; of the text, which anybody may have written, the first 64
 * bytes. */
static int unknown_name(const struct name_table *names, const struct json_value *value, struct error *err)
{
	char shown[DESCRIBE_MAX], allowed[800];

	return error_invalid(err, "%s is not a known %s; allowed: %s",
			     quote(value->text, value->length, shown, sizeof(shown)), names->what,
			     names_list(names, allowed, sizeof(allowed)));
}

static int store_name(const struct json_type *type, const struct json_value *value, void *target, struct error *err)
{
	uint64_t number;

	if (!names_find_n(type->names, value->text, value->length, &number))
		return unknown_name(type->names, value, err);
	put_unsigned(target, type->size, number);
	return 0;
}

int json_scalar_add_flag(const struct json_type *type, const struct json_value *value, void *target, struct error *err)
{
	uint64_t flag;

	if (value->kind != JSON_VALUE_STRING)
		return mismatch(&json_string, value, err);
	if (!names_find_n(type->names, value->text, value->length, &flag))
		return unknown_name(type->names, value, err);
	put_unsigned(target, type->size, json_scalar_load(target, type->size) | flag);
	return 0;
}

/* "\u0000" is legal JSON, and would end the text early for all who read it as C does: two programs would see two values. */
int json_scalar_text(const char *text, size_t length, struct arena *arena, const char **ret, struct error *err)
{
	char *copy;

	if (memchr(text, '\0', length))
		return error_invalid(err, "the string contains a NUL character");
	copy = arena_strndup(arena, text, length);
	if (!copy)
		return error_memory(err);
	*ret = copy;
	return 0;
}

static int store_string(const struct json_type *type, const struct json_value *value, void *target, struct arena *arena,
			struct error *err)
{
	const char *text;
	int r;

	if (type->kind == JSON_ENUM)
		return store_name(type, value, target, err);
	r = json_scalar_text(value->text, value->length, arena, &text, err);
	if (r < 0)
		return r;
	if (type->kind == JSON_CONVERT)
		return type->convert(text, target, arena, err);
	memcpy(target, &text, sizeof(text));
	return 0;
}

int json_scalar_store(const struct json_type *type, const struct json_value *value, void *target, struct arena *arena,
		      struct error *err)
{
	uint64_t number;

	switch (type->kind) {
	case JSON_STRING:
	case JSON_ENUM:
	case JSON_CONVERT:
		if (value->kind != JSON_VALUE_STRING)
			break;
		return store_string(type, value, target, arena, err);
	case JSON_BOOL:
		if (value->kind != JSON_VALUE_BOOL)
			break;
		memcpy(target, &value->is_true, sizeof(value->is_true));
		return 0;
	case JSON_SIGNED:
	case JSON_UNSIGNED:
		if (!parse_integer(type, value, &number))
			break;
		put_unsigned(target, type->size, number);
		return 0;
	case JSON_FLAGS:
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_MAP:
	case JSON_POINTER:
	case JSON_OPTIONAL:
		break;
	case JSON_IGNORED:
		return 0;
	}
	return mismatch(type, value, err);
}
