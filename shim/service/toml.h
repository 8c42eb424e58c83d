/* Small TOML documents into plain structs, by tables, as base/json.h does it for JSON. A strict part of TOML 1.0: comments,
 * tables, dotted keys, strings on one line (basic and literal), integers, booleans and arrays of strings; floats, dates, inline
 * tables, arrays of tables and strings of several lines are refused by name. Pure. Source: toml.io/en/v1.0.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/names.h"

#define TOML_BYTES_MAX ((size_t)64 * 1024)
#define TOML_KEY_MAX 128u     /* bytes of a dotted key, its table's name included */
#define TOML_DEPTH_MAX 4u     /* parts of a dotted key */
#define TOML_STRING_MAX 4096u /* bytes */
#define TOML_ELEMENTS_MAX 64u /* of an array */
#define TOML_TABLES_MAX 16u
#define TOML_FIELDS_MAX 64u

enum toml_kind {
	TOML_STRING,  /* const char *: UTF-8 without NUL */
	TOML_STRINGS, /* const char *const *x; size_t n_x, as JSON_COUNTED has it */
	TOML_INTEGER, /* int64_t, min..max */
	TOML_BOOL,    /* bool */
	TOML_ENUM,    /* a string of names, into an unsigned */
	TOML_IGNORED, /* known, and of no use to us: any value */
};

struct toml_field {
	const char *name; /* "key", or "table.key" */
	enum toml_kind kind;
	size_t offset;
	int64_t min, max;
	const struct name_table *names;
};

struct toml_input {
	const char *text; /* need not be terminated */
	size_t length;
};

/* Decodes one document into target; what it points to lives in arena. fields: at most TOML_FIELDS_MAX, and { 0 }.
 * Unknown keys, a key or table given twice and values of the wrong type are errors. Returns 0, or a negative errno with err set:
 * `line 3: unknown key "polcy"; there are policy, root`. After a failure the content of target is undefined. */
int toml_decode(const struct toml_input *input, const struct toml_field *fields, void *target, struct arena *arena,
		struct error *err);
