#include "cmd/brig/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/option_value.h"
#include "cmd/brig/suggest.h"

struct cursor {
	const struct command *command;
	const char *const *args;		     /* what is left */
	const struct command_positional *positional; /* the next one */
	struct arena *arena;
	void *values;
	bool only_arguments; /* "--" was there */
};

/* The part of args that one option takes. */
struct found {
	const struct command_option *option;
	const char *attached; /* "=v" or the rest of "-ov", without the "="; NULL: none */
};

static __attribute__((format(printf, 3, 4))) int usage_error(const struct cursor *cursor, struct error *err,
							     const char *format, ...)
{
	bool global = cursor->command == &commands_brig;
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return error_set(err, ERROR_USAGE, EINVAL, "%s; see \"brig%s%s --help\"", message, global ? "" : " ",
			 global ? "" : cursor->command->name);
}

/* Whole names alone. An abbreviation that is unique today would be another option's tomorrow. */
static const struct command_option *find_long(const struct command *command, const char *name, size_t length)
{
	command_for_each_option(option, command) {
		if (!strncmp(option->name, name, length) && !option->name[length])
			return option;
	}
	return NULL;
}

static const struct command_option *find_letter(const struct command *command, char letter)
{
	command_for_each_option(option, command) {
		if (option->letter == letter)
			return option;
	}
	return NULL;
}

/* A slip of the fingers is the likeliest reason, and the nearest name says more than the whole list. */
static int unknown_option(const struct cursor *cursor, const char *name, size_t length, struct error *err)
{
	char typed[64];
	struct suggest suggest = { .typed = typed };

	snprintf(typed, sizeof(typed), "%.*s", (int)length, name);
	command_for_each_option(option, cursor->command) {
		if (!(option->flags & OPTION_HIDDEN))
			suggest_offer(&suggest, option->name);
	}
	suggest_offer(&suggest, "help");
	if (!suggest.best)
		return usage_error(cursor, err, "unknown option %.200s", *cursor->args);
	return usage_error(cursor, err, "unknown option %.200s (did you mean --%s?)", *cursor->args, suggest.best);
}

static int store(struct cursor *cursor, const struct found *found, struct error *err)
{
	const struct command_option *option = found->option;
	const char *text = found->attached;
	struct error cause = { 0 };

	cursor->args++;
	if (!text && !option_value_is_flag(option)) {
		text = *cursor->args;
		/* Not "requires an argument": by these words podman knows a runtime that can restore into a pod. */
		if (!text)
			return usage_error(cursor, err, "option --%s lacks its value: --%s %s", option->name,
					   option->name, option->argument);
		cursor->args++;
	}
	if (option_value_set(option, text, cursor->arena, cursor->values, &cause) == 0)
		return 0;
	return usage_error(cursor, err, "%s", cause.message);
}

/* -h is the help's wherever a command has no option of that letter. */
static bool is_help(const struct command *command, const char *name, size_t length)
{
	return (length == 4 && !strncmp(name, "help", 4)) || (length == 1 && *name == 'h' && !find_letter(command, 'h'));
}

/* -o v, -ov, -o=v, and flags together: -td */
static int parse_letters(struct cursor *cursor, const char *letters, struct error *err)
{
	for (;; letters++) {
		struct found found = { .option = find_letter(cursor->command, *letters) };
		bool last = !letters[1] || letters[1] == '=' || (found.option && !option_value_is_flag(found.option));

		if (!found.option && is_help(cursor->command, letters, 1))
			return OPTIONS_HELP;
		if (!found.option)
			return unknown_option(cursor, letters, strcspn(letters, "="), err);
		if (last) {
			if (letters[1])
				found.attached = letters + 1 + (letters[1] == '=');
			return store(cursor, &found, err);
		}
		if (option_value_set(found.option, NULL, cursor->arena, cursor->values, err) < 0)
			return -EINVAL;
	}
}

static int parse_option(struct cursor *cursor, struct error *err)
{
	const char *argument = *cursor->args, *name = argument + (argument[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	struct found found = {
		.option = find_long(cursor->command, name, length),
		.attached = name[length] ? name + length + 1 : NULL,
	};

	if (found.option)
		return store(cursor, &found, err);
	if (is_help(cursor->command, name, length))
		return OPTIONS_HELP;
	if (argument[1] == '-')
		return unknown_option(cursor, name, length, err);
	return parse_letters(cursor, name, err);
}

/* After it nothing is an option any more: `brig exec ID ls -l` has -l for ls. */
static bool takes_rest(const struct cursor *cursor)
{
	enum positional_kind kind = cursor->positional ? cursor->positional->kind : POSITIONAL_END;

	return kind == POSITIONAL_REST || kind == POSITIONAL_REST_VERBATIM;
}

static void take_rest(struct cursor *cursor)
{
	*(const char *const **)((char *)cursor->values + cursor->positional->offset) = cursor->args;
	cursor->positional++;
	while (*cursor->args)
		cursor->args++;
}

static int parse_argument(struct cursor *cursor, struct error *err)
{
	if (takes_rest(cursor)) {
		take_rest(cursor);
		return 0;
	}
	if (!cursor->positional || !cursor->positional->kind)
		return usage_error(cursor, err, "unexpected argument \"%.200s\"", *cursor->args);
	*(const char **)((char *)cursor->values + cursor->positional->offset) = *cursor->args;
	cursor->positional++;
	cursor->args++;
	return 0;
}

static int parse_next(struct cursor *cursor, struct error *err)
{
	const char *argument = *cursor->args;

	if (takes_rest(cursor) && cursor->positional->kind == POSITIONAL_REST_VERBATIM)
		return parse_argument(cursor, err);
	if (!cursor->only_arguments && !strcmp(argument, "--")) {
		cursor->only_arguments = true;
		cursor->args++;
		return 0;
	}
	/* "-" alone is a value: standard input. */
	if (!cursor->only_arguments && argument[0] == '-' && argument[1])
		return parse_option(cursor, err);
	return parse_argument(cursor, err);
}

int options_parse(const struct command *command, const char *const *args, struct arena *arena, void *values,
		  struct error *err)
{
	struct cursor cursor = { .command = command, .args = args, .arena = arena, .values = values };
	int r;

	cursor.positional = command->positionals;
	if (command->defaults)
		memcpy(values, command->defaults, command->options_size);
	else
		memset(values, 0, command->options_size);
	while (*cursor.args) {
		r = parse_next(&cursor, err);
		if (r != 0)
			return r;
	}
	if (cursor.positional &&
	    (cursor.positional->kind == POSITIONAL_CONTAINER || cursor.positional->kind == POSITIONAL_WORD))
		return usage_error(&cursor, err, "%s is missing: %s", cursor.positional->name, cursor.positional->help);
	return 0;
}

/* Nothing but the types that such options have. */
static bool was_given(const struct command_option *option, const void *values)
{
	const void *value = (const char *)values + option->offset;

	if (option->type == OPTION_FLAG)
		return *(const bool *)value;
	if (option->type == OPTION_SIZE || option->type == OPTION_NUMBER)
		return ((const struct option_number *)value)->set;
	return *(const char *const *)value;
}

void options_warn_ineffective(const struct command *command, const void *values)
{
	command_for_each_option(option, command) {
		if ((option->flags & OPTION_WITHOUT_EFFECT) && was_given(option, values))
			log_warning("option --%s has no effect: %s", option->name, option->help);
	}
}
