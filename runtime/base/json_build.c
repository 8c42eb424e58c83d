#include "base/json_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

#define PATH_MAX_SHOWN 400

/* ---- where we are, in words ---- */

static void path_append(char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void path_append(char *path, const char *format, ...)
{
	size_t used = strlen(path);
	va_list args;

	va_start(args, format);
	vsnprintf(path + used, PATH_MAX_SHOWN - used, format, args);
	va_end(args);
}

/* "process.rlimits[2].type" of the innermost value; "" for the document itself. */
static void path_format(const struct json_build *build, char path[PATH_MAX_SHOWN])
{
	path[0] = '\0';
	for (unsigned i = 0; i < build->n_frames; i++) {
		const struct json_frame *frame = &build->frames[i];

		if (frame->type->kind == JSON_OBJECT && frame->field)
			path_append(path, "%s%s", i ? "." : "", frame->field->name);
		else if (frame->type->kind == JSON_MAP && frame->key)
			path_append(path, "[\"%.64s\"]", frame->key);
		else if (frame->type->kind == JSON_ARRAY || frame->type->kind == JSON_FLAGS)
			path_append(path, "[%zu]", frame->n ? frame->n - 1 : 0);
	}
}

/* build->error has been set: puts the path before it. */
static int located(struct json_build *build, int r)
{
	char path[PATH_MAX_SHOWN];

	if (r == 0)
		return 0;
	path_format(build, path);
	if (path[0])
		error_prefix(&build->error, "%s", path);
	return r;
}

static void note_unknown(const struct json_build *build, const char *key, size_t length)
{
	char path[PATH_MAX_SHOWN];

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	path_format(build, path);
	log_debug("%s%s%.*s: unknown field, ignored", path, path[0] ? "." : "", (int)(length < 64 ? length : 64), key);
}

/* ---- places for values ---- */

struct slot {
	const struct json_type *type; /* NULL: the value is of no interest */
	char *target;
};

static struct json_frame *top(struct json_build *build)
{
	return build->n_frames ? &build->frames[build->n_frames - 1] : NULL;
}

static size_t item_size(const struct json_frame *frame)
{
	return frame->type->kind == JSON_MAP ? frame->type->size : frame->type->element->size;
}

/* Pointers are stored bytewise: the member's own type is pointer to const something. */
static void store_items(struct json_frame *frame)
{
	memcpy(frame->target, &frame->items, sizeof(frame->items));
	memcpy(frame->target + sizeof(frame->items), &frame->n, sizeof(frame->n));
}

/* Twice as much each time, in an arena that gives nothing back until its end: what earlier lists leave is less than the last
 * one takes. */
static int reserve_item(struct json_build *build, struct json_frame *frame)
{
	size_t capacity = frame->capacity ? frame->capacity * 2 : 4;
	char *items;

	if (frame->n < frame->capacity)
		return 0;
	items = arena_array(build->arena, capacity, item_size(frame));
	if (!items)
		return error_memory(&build->error);
	if (frame->n)
		memcpy(items, frame->items, frame->n * item_size(frame));
	frame->items = items;
	frame->capacity = capacity;
	return 0;
}

static int add_item(struct json_build *build, struct json_frame *frame, struct slot *slot)
{
	int r;

	if (frame->n >= build->limits.elements)
		return error_invalid(&build->error, "more than %zu elements", build->limits.elements);
	r = reserve_item(build, frame);
	if (r < 0)
		return r;
	slot->type = frame->type->element;
	slot->target = frame->items + frame->n++ * item_size(frame);
	if (frame->type->kind == JSON_MAP) {
		memcpy(slot->target, &frame->key, sizeof(frame->key));
		slot->target += frame->type->value_offset;
	}
	store_items(frame);
	return 0;
}

/* Follows pointers (what they point to is made) and optional values (they become set). */
static int unwrap(struct json_build *build, struct slot *slot)
{
	const bool yes = true;
	void *made;

	while (slot->type->kind == JSON_POINTER || slot->type->kind == JSON_OPTIONAL) {
		if (slot->type->kind == JSON_POINTER) {
			made = arena_alloc(build->arena, slot->type->element->size);
			if (!made)
				return error_memory(&build->error);
			memcpy(slot->target, &made, sizeof(made));
			slot->target = made;
		} else {
			memcpy(slot->target, &yes, sizeof(yes));
			slot->target += slot->type->value_offset;
		}
		slot->type = slot->type->element;
	}
	return 0;
}

static int find_slot(struct json_build *build, const struct json_value *value, struct slot *slot)
{
	struct json_frame *frame = top(build);
	bool in_list = !frame || frame->type->kind == JSON_ARRAY;
	int r = 0;

	*slot = (struct slot){ 0 };
	if (value->kind == JSON_VALUE_NULL && !in_list && !build->strict)
		return 0;
	if (!frame) {
		*slot = (struct slot){ .type = build->type, .target = build->target };
	} else if (frame->type->kind == JSON_OBJECT) {
		if (!frame->field)
			return 0;
		frame->given |= UINT64_C(1) << (frame->field - frame->type->fields);
		*slot = (struct slot){ .type = frame->field->type, .target = frame->target + frame->field->offset };
	} else {
		r = add_item(build, frame, slot);
	}
	if (r < 0)
		return r;
	if (slot->type->kind == JSON_IGNORED)
		slot->type = NULL;
	return slot->type ? unwrap(build, slot) : 0;
}

/* ---- values ---- */

static int check_depth(struct json_build *build)
{
	if (build->n_frames + build->skipped < build->limits.depth)
		return 0;
	return error_invalid(&build->error, "nested deeper than %u levels", build->limits.depth);
}

static int push(struct json_build *build, const struct slot *slot)
{
	struct json_frame *frame;
	int r = check_depth(build);

	if (r < 0)
		return r;
	frame = &build->frames[build->n_frames++];
	*frame = (struct json_frame){ .type = slot->type, .target = slot->target };
	if (slot->type->kind != JSON_ARRAY && slot->type->kind != JSON_MAP)
		return 0;
	/* A list that is there and empty differs from one that isn't: its pointer is not NULL. */
	frame->items = arena_alloc(build->arena, 0);
	if (!frame->items)
		return error_memory(&build->error);
	store_items(frame);
	return 0;
}

static bool opens(const struct json_type *type, enum json_value_kind kind)
{
	if (kind == JSON_VALUE_OBJECT)
		return type->kind == JSON_OBJECT || type->kind == JSON_MAP;
	return kind == JSON_VALUE_ARRAY && (type->kind == JSON_ARRAY || type->kind == JSON_FLAGS);
}

static int skip(struct json_build *build, const struct json_value *value)
{
	int r;

	if (value->kind != JSON_VALUE_OBJECT && value->kind != JSON_VALUE_ARRAY)
		return 0;
	r = check_depth(build);
	if (r == 0)
		build->skipped++;
	return r;
}

static int add_flag(struct json_build *build, struct json_frame *frame, const struct json_value *value)
{
	if (frame->n++ >= build->limits.elements)
		return error_invalid(&build->error, "more than %zu elements", build->limits.elements);
	return json_scalar_add_flag(frame->type, value, frame->target, &build->error);
}

static int value(struct json_build *build, const struct json_value *given)
{
	struct json_frame *frame = top(build);
	struct slot slot;
	int r;

	if (given->kind == JSON_VALUE_STRING && given->length > build->limits.string)
		return error_invalid(&build->error, "a string longer than %zu bytes", build->limits.string);
	if (build->skipped)
		return skip(build, given);
	if (frame && frame->type->kind == JSON_FLAGS)
		return add_flag(build, frame, given);
	r = find_slot(build, given, &slot);
	if (r < 0)
		return r;
	if (!slot.type)
		return skip(build, given);
	if (opens(slot.type, given->kind))
		return push(build, &slot);
	return json_scalar_store(slot.type, given, slot.target, build->arena, &build->error);
}

/* ---- the ends of objects ---- */

static int check_required(struct json_build *build, struct json_frame *frame)
{
	frame->field = NULL;
	for (const struct json_field *field = frame->type->fields; field->name; field++) {
		if (!(field->flags & JSON_REQUIRED) || frame->given >> (field - frame->type->fields) & 1)
			continue;
		return error_invalid(&build->error, "\"%s\" is missing; it is required", field->name);
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Which of two equal keys counts would differ from reader to reader. */
static int check_unique(struct json_build *build, struct json_frame *frame)
{
	AUTO_FREE const char **keys = calloc(frame->n + 1, sizeof(*keys));

	frame->key = NULL;
	if (!keys)
		return error_memory(&build->error);
	for (size_t i = 0; i < frame->n; i++)
		memcpy(&keys[i], frame->items + i * frame->type->size, sizeof(keys[i]));
	qsort(keys, frame->n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < frame->n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return error_invalid(&build->error, "\"%.64s\" is there twice", keys[i]);
	return 0;
}

static int end(struct json_build *build)
{
	struct json_frame *frame = top(build);
	int r = 0;

	if (build->skipped) {
		build->skipped--;
		return 0;
	}
	if (frame->type->kind == JSON_OBJECT)
		r = check_required(build, frame);
	else if (frame->type->kind == JSON_MAP && frame->n > 1)
		r = check_unique(build, frame);
	if (r == 0)
		build->n_frames--;
	return r;
}

/* ---- keys ---- */

static bool is_named(const struct json_field *field, const char *key, size_t length)
{
	return strncmp(field->name, key, length) == 0 && field->name[length] == '\0';
}

/* Writers keep to the order of the specification, as the tables do: the search begins after the field before. */
static const struct json_field *find_field(const struct json_frame *frame, const char *key, size_t length)
{
	const struct json_field *first = frame->type->fields, *start, *field;

	start = frame->field ? frame->field + 1 : first;
	for (field = start; field->name; field++)
		if (is_named(field, key, length))
			return field;
	for (field = first; field < start; field++)
		if (is_named(field, key, length))
			return field;
	return NULL;
}

/* A rule that is misspelt must not be one that does not hold. */
static int refuse_unknown(struct json_build *build, const struct json_frame *frame, const char *key, size_t length)
{
	char known[640] = "";
	size_t used = 0;

	for (const struct json_field *field = frame->type->fields; field->name && used < sizeof(known); field++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", field->name);
	return error_invalid(&build->error, "unknown key \"%.*s\"; there is: %s", (int)(length < 64 ? length : 64), key,
			     known);
}

static int take_field(struct json_build *build, struct json_frame *frame, const char *key, size_t length)
{
	const struct json_field *field = memchr(key, '\0', length) ? NULL : find_field(frame, key, length);
	uint64_t bit;

	if (!field) {
		frame->field = NULL;
		if (build->strict)
			return refuse_unknown(build, frame, key, length);
		note_unknown(build, key, length);
		return 0;
	}
	bit = UINT64_C(1) << (field - frame->type->fields);
	frame->field = field;
	if (frame->seen & bit)
		return error_invalid(&build->error, "the field is there twice");
	frame->seen |= bit;
	return 0;
}

static int key(struct json_build *build, const char *text, size_t length)
{
	struct json_frame *frame = top(build);

	if (build->skipped)
		return 0;
	frame->key = NULL;
	if (length > build->limits.string) {
		frame->field = NULL;
		return error_invalid(&build->error, "a key longer than %zu bytes", build->limits.string);
	}
	if (frame->type->kind == JSON_OBJECT)
		return take_field(build, frame, text, length);
	return json_scalar_text(text, length, build->arena, &frame->key, &build->error);
}

void json_build_init(struct json_build *build, const struct json_type *type, void *target, struct arena *arena)
{
	build->type = type;
	build->target = target;
	build->arena = arena;
	build->n_frames = 0;
	build->skipped = 0;
	build->error.message[0] = '\0';
}

int json_build_value(struct json_build *build, const struct json_value *given)
{
	return located(build, value(build, given));
}

int json_build_key(struct json_build *build, const char *text, size_t length)
{
	return located(build, key(build, text, length));
}

int json_build_end(struct json_build *build)
{
	return located(build, end(build));
}
