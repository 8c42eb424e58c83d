/* JSON documents into plain structs, by tables. A table names each field of an object with its type and place; whatever
 * does not fit is an error that gives the path in the document. yajl (as a stream) is used by json.c alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/names.h"

/* Values that a document may leave out. */
struct opt_bool {
	bool set, value;
};
struct opt_int {
	bool set;
	int value;
};
struct opt_u16 {
	bool set;
	uint16_t value;
};
struct opt_u32 {
	bool set;
	uint32_t value;
};
struct opt_u64 {
	bool set;
	uint64_t value;
};
struct opt_i64 {
	bool set;
	int64_t value;
};

/* One entry of a map from string to string. */
struct json_pair {
	const char *name, *value;
};

/* Caps on a hostile document; 0: the default of json.c. */
struct json_limits {
	size_t bytes;	 /* of the whole text */
	size_t string;	 /* bytes of one string or key */
	size_t elements; /* of one array or map */
	unsigned depth;	 /* nesting, inside ignored values as well; at most JSON_DEPTH_MAX */
};

#define JSON_BYTES_DEFAULT ((size_t)16 * 1024 * 1024)
#define JSON_STRING_DEFAULT ((size_t)1024 * 1024)
#define JSON_ELEMENTS_DEFAULT ((size_t)65536)
#define JSON_DEPTH_DEFAULT 32u
#define JSON_DEPTH_MAX 64u

enum json_kind {
	JSON_STRING,   /* const char *: UTF-8 without NUL */
	JSON_BOOL,     /* bool */
	JSON_SIGNED,   /* int of size bytes, min..max */
	JSON_UNSIGNED, /* unsigned of size bytes, 0..max */
	JSON_ENUM,     /* a string of names, into an unsigned of size bytes */
	JSON_FLAGS,    /* an array of strings of names, or-ed into an unsigned of size bytes */
	JSON_CONVERT,  /* a string that convert() turns into whatever the target is */
	JSON_OBJECT,   /* struct of size bytes, by fields */
	JSON_ARRAY,    /* pointer to elements and, next to it, their size_t count */
	JSON_MAP,      /* the same, of elements that begin with their const char * key */
	JSON_POINTER,  /* pointer to an element that is made where the document has one */
	JSON_OPTIONAL, /* struct opt_x: bool first, the element at value_offset */
	JSON_IGNORED,  /* known, and of no use to us */
};

struct json_field;

struct json_type {
	enum json_kind kind;
	size_t size; /* of the target (for a map: of one entry) */
	int64_t min;
	uint64_t max;
	const struct name_table *names;
	const struct json_field *fields; /* at most 64, and { 0 } */
	const struct json_type *element;
	size_t value_offset; /* optional: of the value; map: of the value in the entry */
	/* text is terminated. Returns 0 or a negative errno with err set (its message gets the path as prefix). */
	int (*convert)(const char *text, void *target, struct arena *arena, struct error *err);
};

#define JSON_REQUIRED 1u

struct json_field {
	const char *name;
	const struct json_type *type;
	size_t offset;
	unsigned flags;
};

/* The offset of an array or map member; refuses to compile where the count does not follow it. */
#define JSON_COUNTED(type, member) \
	(offsetof(type, member) +  \
	 0 * sizeof(char[offsetof(type, n_##member) == offsetof(type, member) + sizeof(void *) ? 1 : -1]))

#define JSON_OBJECT_OF(type, table)                                          \
	{                                                                    \
		.kind = JSON_OBJECT, .size = sizeof(type), .fields = (table) \
	}
#define JSON_ARRAY_OF(type)                                                       \
	{                                                                         \
		.kind = JSON_ARRAY, .size = 2 * sizeof(void *), .element = (type) \
	}
/* A map from string to objects: an entry is the object's own struct, with `const char *` for the key as first member. */
#define JSON_MAP_OF(entry, type)                                           \
	{                                                                  \
		.kind = JSON_MAP, .size = sizeof(entry), .element = (type) \
	}
#define JSON_POINTER_TO(type)                                                   \
	{                                                                       \
		.kind = JSON_POINTER, .size = sizeof(void *), .element = (type) \
	}
#define JSON_ENUM_OF(type, table)                                         \
	{                                                                 \
		.kind = JSON_ENUM, .size = sizeof(type), .names = (table) \
	}
#define JSON_FLAGS_OF(type, table)                                         \
	{                                                                  \
		.kind = JSON_FLAGS, .size = sizeof(type), .names = (table) \
	}
#define JSON_OPTIONAL_OF(type, of)                                                                                  \
	{                                                                                                           \
		.kind = JSON_OPTIONAL, .size = sizeof(type), .element = (of), .value_offset = offsetof(type, value) \
	}
#define JSON_SIGNED_OF(type, least, most)                                                \
	{                                                                                \
		.kind = JSON_SIGNED, .size = sizeof(type), .min = (least), .max = (most) \
	}
#define JSON_UNSIGNED_OF(type, most)                                       \
	{                                                                  \
		.kind = JSON_UNSIGNED, .size = sizeof(type), .max = (most) \
	}

extern const struct json_type json_string, json_bool, json_int, json_i64, json_u16, json_u32, json_u64, json_ignored;
extern const struct json_type json_opt_bool, json_opt_int, json_opt_i64, json_opt_u16, json_opt_u32, json_opt_u64;
extern const struct json_type json_text;    /* const char *: as json_string, and NULL for an empty one */
extern const struct json_type json_strings; /* const char *const *x; size_t n_x */
extern const struct json_type json_u32s;    /* const uint32_t *x; size_t n_x */
extern const struct json_type json_pairs;   /* const struct json_pair *x; size_t n_x */

struct json_input {
	const char *text; /* need not be terminated */
	size_t length;
	const struct json_limits *limits; /* NULL: the defaults */
	bool strict; /* for documents of our own: unknown fields are errors that list what there is, and null is a value like another */
};

/* Decodes one document into target, which the caller has zeroed; what it points to lives in arena.
 * null counts as absent (Go writes it for empty pointers, slices and maps) and unknown fields are skipped with a debug line,
 * both unless the input is strict;
 * a field given twice, trailing text, bad UTF-8, \u0000 and numbers that aren't plain integers in range are errors.
 * Returns 0, or a negative errno with err set: `process.user.uid: expected an integer, found a string`, or line and column
 * where the text is no JSON. After a failure the content of target is undefined (but may be dropped with the arena). */
int json_decode(const struct json_input *input, const struct json_type *type, void *target, struct arena *arena,
		struct error *err);
