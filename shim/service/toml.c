#include "shim/service/toml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "shim/service/toml_scan.h"

/* What is on its way through toml_decode. */
struct document {
	struct toml_scan scan;
	const struct toml_field *fields;
	void *target;
	uint64_t seen; /* a bit a field */
	char table[TOML_KEY_MAX + 1];
	char tables[TOML_TABLES_MAX][TOML_KEY_MAX + 1];
	size_t n_tables;
};

static const char *const value_names[] = {
	[TOML_VALUE_STRING] = "a string",
	[TOML_VALUE_INTEGER] = "a whole number",
	[TOML_VALUE_BOOL] = "true or false",
	[TOML_VALUE_ARRAY] = "an array of strings",
};

/* Lists what there is: a typing error is what it mostly comes from, and a key that says nothing would be a protection left out. */
static int unknown_key(struct document *document, const char *key)
{
	char known[320] = "";
	size_t used = 0;

	for (const struct toml_field *field = document->fields; field->name && used < sizeof(known); field++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", field->name);
	return toml_scan_error(&document->scan, "unknown key \"%s\"; there are %s", key, known);
}

static const struct toml_field *find_field(const struct document *document, const char *key)
{
	for (const struct toml_field *field = document->fields; field->name; field++) {
		if (strcmp(field->name, key) == 0)
			return field;
	}
	return NULL;
}

/* What the field takes; of one that is ignored, whatever is there. */
static enum toml_value_kind wanted_kind(const struct toml_field *field, const struct toml_value *value)
{
	switch (field->kind) {
	case TOML_STRING:
	case TOML_ENUM:
		return TOML_VALUE_STRING;
	case TOML_STRINGS:
		return TOML_VALUE_ARRAY;
	case TOML_INTEGER:
		return TOML_VALUE_INTEGER;
	case TOML_BOOL:
		return TOML_VALUE_BOOL;
	case TOML_IGNORED:
		break;
	}
	return value->kind;
}

static int store_enum(struct document *document, const struct toml_field *field, const char *text)
{
	void *place = (char *)document->target + field->offset;
	char known[200];
	uint64_t value;

	if (!names_find(field->names, text, &value))
		return toml_scan_error(&document->scan, "%s: there is no %s \"%.100s\"; there are %s", field->name,
				       field->names->what, text, names_list(field->names, known, sizeof(known)));
	*(unsigned *)place = (unsigned)value;
	return 0;
}

/* The list and its length are neighbours (JSON_COUNTED), copied as bytes: the struct's type is not known here. */
static int store_strings(struct document *document, const struct toml_field *field, const struct toml_value *value)
{
	char *place = (char *)document->target + field->offset;

	memcpy(place, &value->strings, sizeof(value->strings));
	memcpy(place + sizeof(value->strings), &value->n_strings, sizeof(value->n_strings));
	return 0;
}

static int store_integer(struct document *document, const struct toml_field *field, int64_t value)
{
	if (value < field->min || value > field->max)
		return toml_scan_error(&document->scan,
				       "%s: expected a number from %" PRId64 " to %" PRId64 ", found %" PRId64,
				       field->name, field->min, field->max, value);
	*(int64_t *)(void *)((char *)document->target + field->offset) = value;
	return 0;
}

static int store(struct document *document, const struct toml_field *field, const struct toml_value *value)
{
	void *place = (char *)document->target + field->offset;
	enum toml_value_kind wanted = wanted_kind(field, value);

	if (wanted != value->kind)
		return toml_scan_error(&document->scan, "%s: expected %s, found %s", field->name, value_names[wanted],
				       value_names[value->kind]);
	switch (field->kind) {
	case TOML_STRING:
		*(const char **)place = value->string;
		return 0;
	case TOML_STRINGS:
		return store_strings(document, field, value);
	case TOML_INTEGER:
		return store_integer(document, field, value->integer);
	case TOML_BOOL:
		*(bool *)place = value->is_true;
		return 0;
	case TOML_ENUM:
		return store_enum(document, field, value->string);
	case TOML_IGNORED:
		break;
	}
	return 0;
}

/* key = value. Below a table's header its name comes first, so that "table.key" is one name for both ways to write it. */
static int take_pair(struct document *document)
{
	struct toml_scan *scan = &document->scan;
	struct toml_value value = { 0 };
	const struct toml_field *field;
	char key[TOML_KEY_MAX + 1];
	uint64_t bit;
	int r;

	memcpy(key, document->table, sizeof(key));
	r = toml_scan_key(scan, key);
	if (r < 0)
		return r;
	if (!toml_scan_take(scan, '='))
		return toml_scan_error(scan, "expected '=' after the key \"%s\"", key);
	field = find_field(document, key);
	if (!field)
		return unknown_key(document, key);
	bit = UINT64_C(1) << (field - document->fields);
	if (document->seen & bit)
		return toml_scan_error(scan, "the key \"%s\" is there twice; keep one", key);
	document->seen |= bit;
	toml_scan_blanks(scan);
	r = toml_scan_value(scan, &value) ?: store(document, field, &value);
	return r < 0 ? r : toml_scan_end_of_line(scan);
}

/* A table has to be the beginning of some key that is known. */
static bool is_known_table(const struct document *document, const char *name)
{
	size_t length = strlen(name);

	for (const struct toml_field *field = document->fields; field->name; field++) {
		if (strncmp(field->name, name, length) == 0 && field->name[length] == '.')
			return true;
	}
	return false;
}

/* Keys that came twice are found by `seen`; a header alone, without keys, would go unnoticed. */
static int remember_table(struct document *document)
{
	struct toml_scan *scan = &document->scan;

	for (size_t i = 0; i < document->n_tables; i++) {
		if (strcmp(document->tables[i], document->table) == 0)
			return toml_scan_error(scan, "the table [%s] is there twice; keep one", document->table);
	}
	if (document->n_tables == TOML_TABLES_MAX)
		return toml_scan_error(scan, "more than %u tables", TOML_TABLES_MAX);
	memcpy(document->tables[document->n_tables++], document->table, sizeof(document->table));
	return 0;
}

static int take_table(struct document *document)
{
	struct toml_scan *scan = &document->scan;
	int r;

	scan->at++;
	if (toml_scan_peek(scan) == '[')
		return toml_scan_error(scan, "an array of tables [[ ... ]] is not supported; write [table]");
	document->table[0] = '\0';
	r = toml_scan_key(scan, document->table);
	if (r < 0)
		return r;
	if (!toml_scan_take(scan, ']'))
		return toml_scan_error(scan, "expected ']' after the table's name \"%s\"", document->table);
	if (!is_known_table(document, document->table))
		return unknown_key(document, document->table);
	r = remember_table(document);
	return r < 0 ? r : toml_scan_end_of_line(scan);
}

/* Before a character of it is looked at: its size, then that it is text at all. */
static int check_text(const struct toml_input *input, struct error *err)
{
	size_t valid;

	if (input->length > TOML_BYTES_MAX)
		return error_invalid(err, "%zu bytes; %zu are the most", input->length, TOML_BYTES_MAX);
	valid = input->length ? utf8_valid_length(input->text, input->length) : 0;
	if (valid != input->length)
		return error_invalid(err, "byte %zu is no UTF-8", valid);
	if (input->length && memchr(input->text, '\0', input->length))
		return error_invalid(err, "a NUL byte; remove it");
	return 0;
}

/* Line by line, from the top: the first error is the one that is told. */
int toml_decode(const struct toml_input *input, const struct toml_field *fields, void *target, struct arena *arena,
		struct error *err)
{
	struct document document = { .fields = fields, .target = target };
	struct toml_scan *scan = &document.scan;
	int r = check_text(input, err);

	if (r < 0 || input->length == 0)
		return r;
	*scan = (struct toml_scan){ input->text, input->text + input->length, 1, arena, err };
	for (;;) {
		r = toml_scan_lines(scan);
		if (r < 0 || scan->at == scan->end)
			return r;
		r = toml_scan_peek(scan) == '[' ? take_table(&document) : take_pair(&document);
		if (r < 0)
			return r;
	}
}
