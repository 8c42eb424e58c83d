/* One value of a document into one member of a struct: ranges, names, and the words for what was wrong. Internal to json. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum json_value_kind {
	JSON_VALUE_NULL,
	JSON_VALUE_BOOL,
	JSON_VALUE_NUMBER,
	JSON_VALUE_STRING,
	JSON_VALUE_OBJECT,
	JSON_VALUE_ARRAY,
};

struct json_value {
	enum json_value_kind kind;
	const char *text; /* of a number or a string, decoded, not terminated */
	size_t length;
	bool is_true;
};

/* Stores value, which is no object or array, as type says. Returns 0, or a negative errno with err set (without a path). */
int json_scalar_store(const struct json_type *type, const struct json_value *value, void *target, struct arena *arena,
		      struct error *err);
/* Ors the flag that value names into the target of a JSON_FLAGS type. */
int json_scalar_add_flag(const struct json_type *type, const struct json_value *value, void *target, struct error *err);
/* Copies a string or key into arena; refuses NUL bytes. */
int json_scalar_text(const char *text, size_t length, struct arena *arena, const char **ret, struct error *err);
/* What json_scalar_store left in an unsigned of size bytes: 1, 2, 4 or 8. */
uint64_t json_scalar_load(const void *value, size_t size);
