/* The types that any document uses. */
#include "base/json.h"

#include <limits.h>

/* Go's omitempty is not used by every writer: an empty string says no more than an absent one. */
static int keep_unless_empty(const char *text, void *target, struct arena *arena, struct error *err)
{
	(void)arena;
	(void)err;
	*(const char **)target = *text ? text : NULL;
	return 0;
}

const struct json_type json_string = { .kind = JSON_STRING, .size = sizeof(char *) };
const struct json_type json_text = { .kind = JSON_CONVERT, .size = sizeof(char *), .convert = keep_unless_empty };
const struct json_type json_bool = { .kind = JSON_BOOL, .size = sizeof(bool) };
const struct json_type json_int = JSON_SIGNED_OF(int, INT_MIN, INT_MAX);
const struct json_type json_i64 = JSON_SIGNED_OF(int64_t, INT64_MIN, INT64_MAX);
const struct json_type json_u16 = JSON_UNSIGNED_OF(uint16_t, UINT16_MAX);
const struct json_type json_u32 = JSON_UNSIGNED_OF(uint32_t, UINT32_MAX);
const struct json_type json_u64 = JSON_UNSIGNED_OF(uint64_t, UINT64_MAX);
const struct json_type json_ignored = { .kind = JSON_IGNORED };

const struct json_type json_opt_bool = JSON_OPTIONAL_OF(struct opt_bool, &json_bool);
const struct json_type json_opt_int = JSON_OPTIONAL_OF(struct opt_int, &json_int);
const struct json_type json_opt_i64 = JSON_OPTIONAL_OF(struct opt_i64, &json_i64);
const struct json_type json_opt_u16 = JSON_OPTIONAL_OF(struct opt_u16, &json_u16);
const struct json_type json_opt_u32 = JSON_OPTIONAL_OF(struct opt_u32, &json_u32);
const struct json_type json_opt_u64 = JSON_OPTIONAL_OF(struct opt_u64, &json_u64);

const struct json_type json_strings = JSON_ARRAY_OF(&json_string);
const struct json_type json_u32s = JSON_ARRAY_OF(&json_u32);
const struct json_type json_pairs = {
	.kind = JSON_MAP,
	.size = sizeof(struct json_pair),
	.element = &json_string,
	.value_offset = offsetof(struct json_pair, value),
};
