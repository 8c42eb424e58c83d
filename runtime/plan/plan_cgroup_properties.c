/* Annotations "org.systemd.property.NAME": properties of the scope that systemd makes, as engines set them (how long it may take to end,
 * what it comes after). Those alone that say when and how it ends; what others would set is config.json's to say. The value is
 * in the text form of D-Bus types as engines write it: true, uint64 30000000, 'inactive-or-failed', ['crio.service']. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan_builder.h"

#define PREFIX "org.systemd.property."
#define TEXT_MAX 256

static const struct {
	const char *annotation, *name, *signature;
	uint64_t factor; /* of numbers: seconds are given where systemd has microseconds */
} known[] = {
	{ "After", "After", "as", 1 },
	{ "Before", "Before", "as", 1 },
	{ "CollectMode", "CollectMode", "s", 1 },
	{ "DefaultDependencies", "DefaultDependencies", "b", 1 },
	{ "Description", "Description", "s", 1 },
	{ "KillMode", "KillMode", "s", 1 },
	{ "KillSignal", "KillSignal", "i", 1 },
	{ "RuntimeMaxSec", "RuntimeMaxUSec", "t", 1000000 },
	{ "RuntimeMaxUSec", "RuntimeMaxUSec", "t", 1 },
	{ "SendSIGHUP", "SendSIGHUP", "b", 1 },
	{ "SendSIGKILL", "SendSIGKILL", "b", 1 },
	{ "TimeoutStopSec", "TimeoutStopUSec", "t", 1000000 },
	{ "TimeoutStopUSec", "TimeoutStopUSec", "t", 1 },
};

/* "uint64 5", "5" */
static const char *read_number(struct arena *arena, const char *value, uint64_t factor)
{
	static const char *const types[] = { "uint64 ", "int64 ", "uint32 ", "int32 " };
	uint64_t number;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strncmp(value, types[i], strlen(types[i])) == 0) {
			value += strlen(types[i]);
			break;
		}
	}
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno || end == value || *end || value[0] < '0' || value[0] > '9' || number > UINT64_MAX / factor)
		return NULL;
	return arena_printf(arena, "%" PRIu64, number * factor);
}

/* A quoted text without anything to unescape; *rest is what follows it. */
static const char *read_text(struct arena *arena, const char *value, const char **rest)
{
	const char quote[] = { value[0], '\0' };
	size_t length;

	if (quote[0] != '\'' && quote[0] != '"')
		return NULL;
	length = strcspn(value + 1, quote);
	if (value[1 + length] == '\0' || length == 0 || length > TEXT_MAX)
		return NULL;
	for (size_t i = 1; i <= length; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 127 || value[i] == '\\')
			return NULL;
	}
	*rest = value + 1 + length + 1;
	return arena_strndup(arena, value + 1, length);
}

/* ['a.service', 'b.service'] as words. */
static const char *read_list(struct arena *arena, const char *value)
{
	const char *words = "", *word;

	if (*value++ != '[')
		return NULL;
	for (;;) {
		value += strspn(value, " ");
		word = read_text(arena, value, &value);
		if (!word || strchr(word, ' '))
			return NULL;
		words = arena_printf(arena, "%s%s%s", words, *words ? " " : "", word);
		value += strspn(value, " ");
		if (!words || (*value != ',' && strcmp(value, "]") != 0))
			return NULL;
		if (*value++ == ']')
			return words;
	}
}

static const char *read_value(struct arena *arena, const char *signature, uint64_t factor, const char *value)
{
	const char *text, *rest = "";

	switch (signature[0]) {
	case 't':
	case 'i':
		return read_number(arena, value, factor);
	case 'b':
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ? value : NULL;
	case 'a':
		return read_list(arena, value);
	default:
		text = read_text(arena, value, &rest);
		return *rest ? NULL : text;
	}
}

static int add(struct plan_builder *builder, const struct json_pair *annotation, struct plan_property *list, size_t *n,
	       struct error *err)
{
	const char *name = annotation->name + strlen(PREFIX), *value;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i].annotation) != 0)
			continue;
		value = read_value(builder->arena, known[i].signature, known[i].factor, annotation->value);
		if (!value)
			return error_invalid(err,
					     "annotations[\"" PREFIX
					     "%s\"]: \"%.100s\" is no value of the D-Bus type %s; write "
					     "it as in uint64 10000000, true, 'text', ['a.service']",
					     name, annotation->value, known[i].signature);
		list[(*n)++] = (struct plan_property){ known[i].signature, known[i].name, value };
	}
	return 0;
}

int plan_cgroup_properties_build(struct plan_builder *builder, struct error *err)
{
	const struct spec *spec = builder->spec;
	struct plan_property *list = arena_array_of(builder->arena, spec->n_annotations, struct plan_property);
	size_t n = 0;
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc == 0 && i < spec->n_annotations; i++) {
		if (strncmp(spec->annotations[i].name, PREFIX, strlen(PREFIX)) == 0)
			rc = add(builder, &spec->annotations[i], list, &n, err);
	}
	if (rc < 0)
		return rc;
	builder->plan->cgroup.properties = list;
	builder->plan->cgroup.n_properties = n;
	return 0;
}
