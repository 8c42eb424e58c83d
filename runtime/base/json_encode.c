#include "base/json_encode.h"

#include <string.h>

#include "base/json_scalar.h"

/* Bytewise, as json_build.c stores it: the members' own types are pointers to const something. */
struct list {
	const char *items;
	size_t n;
};

static struct list load_list(const char *value)
{
	struct list list;

	memcpy(&list.items, value, sizeof(list.items));
	memcpy(&list.n, value + sizeof(list.items), sizeof(list.n));
	return list;
}

static const char *load_pointer(const char *value)
{
	const char *pointer;

	memcpy(&pointer, value, sizeof(pointer));
	return pointer;
}

static int64_t load_signed(const char *value, size_t size)
{
	unsigned unused_bits = 64 - 8 * (unsigned)size;

	/* The sign is the highest bit of the size that it has. */
	return (int64_t)(json_scalar_load(value, size) << unused_bits) >> unused_bits;
}

static bool is_zero(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (value[i])
			return false;
	}
	return true;
}

static void write_object(struct json_writer *writer, const struct json_type *type, const char *value)
{
	json_write_object_begin(writer);
	for (const struct json_field *field = type->fields; field->name; field++) {
		const char *member = value + field->offset;

		if (!(field->flags & JSON_REQUIRED) && is_zero(member, field->type->size))
			continue;
		json_write_key(writer, field->name);
		json_encode(writer, field->type, member);
	}
	json_write_object_end(writer);
}

static void write_array(struct json_writer *writer, const struct json_type *element, struct list list)
{
	json_write_array_begin(writer);
	for (size_t i = 0; i < list.n; i++)
		json_encode(writer, element, list.items + i * element->size);
	json_write_array_end(writer);
}

static void write_map(struct json_writer *writer, const struct json_type *type, struct list list)
{
	json_write_object_begin(writer);
	for (size_t i = 0; i < list.n; i++) {
		const char *entry = list.items + i * type->size;

		json_write_key(writer, load_pointer(entry));
		json_encode(writer, type->element, entry + type->value_offset);
	}
	json_write_object_end(writer);
}

static void write_behind(struct json_writer *writer, const struct json_type *element, const char *value)
{
	if (value)
		json_encode(writer, element, value);
	else
		json_write_null(writer);
}

void json_encode(struct json_writer *writer, const struct json_type *type, const void *value)
{
	switch (type->kind) {
	case JSON_STRING:
		json_write_string(writer, load_pointer(value));
		return;
	case JSON_BOOL:
		json_write_bool(writer, *(const bool *)value);
		return;
	case JSON_SIGNED:
		json_write_int(writer, load_signed(value, type->size));
		return;
	case JSON_UNSIGNED:
		json_write_uint(writer, json_scalar_load(value, type->size));
		return;
	case JSON_ENUM:
		json_write_string(writer, names_text(type->names, json_scalar_load(value, type->size)));
		return;
	case JSON_OBJECT:
		write_object(writer, type, value);
		return;
	case JSON_ARRAY:
		write_array(writer, type->element, load_list(value));
		return;
	case JSON_MAP:
		write_map(writer, type, load_list(value));
		return;
	case JSON_POINTER:
		write_behind(writer, type->element, load_pointer(value));
		return;
	case JSON_OPTIONAL:
		write_behind(writer, type->element,
			     *(const bool *)value ? (const char *)value + type->value_offset : NULL);
		return;
	case JSON_CONVERT:
	case JSON_FLAGS:
	case JSON_IGNORED:
		json_write_null(writer);
		return;
	}
}
