#include "cmd/brig/option_value.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"

bool option_value_is_flag(const struct command_option *option)
{
	return option->type == OPTION_FLAG || option->type == OPTION_SWITCH;
}

static int parse_signed(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t value;

	text += negative;
	if (quantity_digits(&text, &value) < 0 || *text)
		return -EINVAL;
	if (value > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

int option_value_size(const char *text, int64_t *ret)
{
	uint64_t bytes;
	int r;

	if (!strcmp(text, "-1")) {
		*ret = -1;
		return 0;
	}
	r = quantity_size(text, &bytes);
	if (r == 0)
		*ret = (int64_t)bytes;
	return r;
}

int option_value_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t ns;
	int r = quantity_duration(text, &ns);

	if (r == 0)
		*ret_ms = ns / 1000000;
	return r;
}

int option_value_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);

	for (int i = 0;; i++) {
		size_t choice_length = strcspn(choices, "|");

		if (choice_length == length && !strncmp(choices, text, length))
			return i;
		choices += choice_length;
		if (!*choices++)
			return -1;
	}
}

/* The words that Go's strconv.ParseBool takes: podman and containerd write --tty=true. Those for "true" have odd places. */
static int parse_bool(const char *text, bool *ret)
{
	int choice = option_value_choice("false|true|0|1|f|t|False|True|FALSE|TRUE|F|T", text);

	if (choice < 0)
		return -EINVAL;
	*ret = choice % 2;
	return 0;
}

static int parse_unsigned(const char *text, unsigned *ret)
{
	int64_t value;
	int r = parse_signed(text, &value);

	if (r < 0)
		return r;
	if (value < 0 || value > (int64_t)UINT32_MAX)
		return -ERANGE;
	*ret = (unsigned)value;
	return 0;
}

/* Grown to the next power of two, so that counts are the only thing to keep. */
static int append_item(struct option_list *list, const char *text, struct arena *arena)
{
	bool full = !list->items || ((list->n_items + 1) & list->n_items) == 0;

	if (full) {
		const char **items = arena_array_of(arena, (list->n_items + 1) * 2, const char *);

		if (!items)
			return -ENOMEM;
		if (list->items)
			memcpy(items, list->items, list->n_items * sizeof(*items));
		list->items = items;
	}
	list->items[list->n_items++] = text;
	list->items[list->n_items] = NULL;
	return 0;
}

static int set_number(const struct command_option *option, const char *text, struct option_number *number)
{
	int r = option->type == OPTION_SIZE ? option_value_size(text, &number->value)
					    : parse_signed(text, &number->value);

	if (r == 0)
		number->set = true;
	return r;
}

static int set_value(const struct command_option *option, const char *text, struct arena *arena, void *target)
{
	bool on = true;
	int r = 0;

	switch (option->type) {
	case OPTION_FLAG:
		return text ? parse_bool(text, target) : (*(bool *)target = true, 0);
	case OPTION_SWITCH:
		r = text ? parse_bool(text, &on) : 0;
		if (r == 0)
			*(enum option_switch *)target = on ? OPTION_SWITCH_ON : OPTION_SWITCH_OFF;
		return r;
	case OPTION_STRING:
		*(const char **)target = text;
		return 0;
	case OPTION_UNSIGNED:
		return parse_unsigned(text, target);
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return set_number(option, text, target);
	case OPTION_DURATION:
		return option_value_duration(text, target);
	case OPTION_ENUM:
		r = option_value_choice(option->choices ?: option->argument, text);
		if (r < 0)
			return -EINVAL;
		*(int *)target = r;
		return 0;
	case OPTION_LIST:
		return append_item(target, text, arena);
	}
	return -EINVAL;
}

static const char *wanted(const struct command_option *option)
{
	switch (option->type) {
	case OPTION_FLAG:
	case OPTION_SWITCH:
		return "true or false";
	case OPTION_UNSIGNED:
		return "a number from 0 to 4294967295";
	case OPTION_NUMBER:
		return "a whole number";
	case OPTION_SIZE:
		return option->flags & OPTION_LIMITED
			       ? "a number of bytes such as 536870912 or 512m"
			       : "a number of bytes such as 536870912 or 512m, or -1 for no limit";
	case OPTION_DURATION:
		return "a duration such as 5s, 1m30s or 250ms";
	case OPTION_ENUM:
		return option->argument;
	case OPTION_STRING:
	case OPTION_LIST:
		return "a text";
	}
	return "a value";
}

int option_value_set(const struct command_option *option, const char *text, struct arena *arena, void *values,
		     struct error *err)
{
	int r = set_value(option, text, arena, (char *)values + option->offset);

	if (r == -ENOMEM)
		return error_memory(err);
	if (r < 0)
		return error_set(err, ERROR_USAGE, EINVAL, "option --%s: %s \"%s\", expected %s", option->name,
				 r == -ERANGE ? "out of range:" : "can't understand", text, wanted(option));
	return 0;
}
