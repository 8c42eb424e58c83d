#include "cmd/brig/help.h"

#include <string.h>

#include "cmd/brig/commands.h"

#define WIDTH 100
#define HELP_COLUMN 32

const char *help_group_title(enum command_group group)
{
	switch (group) {
	case COMMAND_RUNS:
		return "Run programs";
	case COMMAND_LOOKS:
		return "Look at containers";
	case COMMAND_CHANGES:
		return "Change and end containers";
	case COMMAND_PREPARES:
		return "Prepare";
	case COMMAND_HIDDEN:
		break;
	}
	return "";
}

/* Appends text in lines of WIDTH columns that begin at column indent; the first one is at column already. An empty line
 * in text stays one. */
static void append_wrapped(struct buffer *out, const char *text, size_t indent, size_t column)
{
	size_t word;

	for (; *text; text += word) {
		if (*text == '\n') {
			buffer_printf(out, "\n\n%*s", (int)indent, "");
			column = indent;
			word = strspn(text, "\n");
			continue;
		}
		word = strcspn(text, " \n");
		if (column > indent && column + 1 + word > WIDTH) {
			buffer_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		if (column > indent) {
			buffer_append_text(out, " ");
			column++;
		}
		buffer_append(out, text, word);
		column += word;
		word += text[word] == ' ';
	}
	buffer_append_text(out, "\n");
}

/* " left right", with right on a line of its own where left is long. start: where the line begins in out, so that what stands
 * in it can be counted. */
static void append_entry(struct buffer *out, size_t start, const char *right)
{
	size_t column = out->length - start;

	if (column + 2 > HELP_COLUMN)
		buffer_printf(out, "\n%*s", HELP_COLUMN, "");
	else
		buffer_printf(out, "%*s", (int)(HELP_COLUMN - column), "");
	append_wrapped(out, right, HELP_COLUMN, HELP_COLUMN);
}

static void append_option(struct buffer *out, const struct command_option *option)
{
	size_t start = out->length;

	if (option->letter)
		buffer_printf(out, "  -%c, ", option->letter);
	else
		buffer_append_text(out, "      ");
	buffer_printf(out, "--%s%s%s", option->name, option->argument ? " " : "", option->argument ?: "");
	append_entry(out, start, option->help);
}

static void append_options(struct buffer *out, const struct command *command)
{
	static const struct command_option help_option = {
		.name = "help", .letter = 'h', .type = OPTION_FLAG, .help = "print this and end"
	};

	buffer_append_text(out, command == &commands_brig ? "\nGlobal options (before COMMAND):\n" : "\nOptions:\n");
	command_for_each_option(option, command) {
		if (!(option->flags & OPTION_HIDDEN))
			append_option(out, option);
	}
	append_option(out, &help_option);
}

static void append_positionals(struct buffer *out, const struct command *command)
{
	if (!command->positionals || command == &commands_brig)
		return;
	buffer_append_text(out, "\nArguments:\n");
	command_for_each_positional(positional, command) {
		size_t start = out->length;

		buffer_printf(out, "  %s", positional->name);
		append_entry(out, start, positional->help);
	}
}

static void append_examples(struct buffer *out, const struct command *command)
{
	if (!command->examples)
		return;
	buffer_append_text(out, command == &commands_brig ? "\nTo begin:\n" : "\nExamples:\n");
	for (const struct command_example *example = command->examples; example->line; example++)
		buffer_printf(out, "  # %s\n  %s\n", example->explanation, example->line);
}

static void append_commands(struct buffer *out)
{
	for (enum command_group group = 0; group < COMMAND_HIDDEN; group++) {
		buffer_printf(out, "\n%s:\n", help_group_title(group));
		for (size_t i = 0; commands_list[i]; i++) {
			size_t start = out->length;

			if (commands_list[i]->group != group)
				continue;
			buffer_printf(out, "  %s", commands_list[i]->name);
			append_entry(out, start, commands_list[i]->summary);
		}
	}
}

void help_append_synopsis(const struct command *command, struct buffer *text)
{
	if (command == &commands_brig) {
		buffer_append_text(text, "brig [GLOBAL-OPTION...] COMMAND [OPTION...] [ARGUMENT...]");
		return;
	}
	buffer_printf(text, "brig %s", command->name);
	if (command->options)
		buffer_append_text(text, " [OPTION...]");
	command_for_each_positional(positional, command) {
		bool optional = positional->kind != POSITIONAL_CONTAINER && positional->kind != POSITIONAL_WORD;

		buffer_printf(text, optional ? " [%s]" : " %s", positional->name);
	}
}

void help_append(const struct command *command, struct buffer *text)
{
	if (command == &commands_brig)
		buffer_printf(text, "brig: %s\n\n", command->summary);
	else
		buffer_printf(text, "brig %s: %s\n\n", command->name, command->summary);
	buffer_append_text(text, "Usage: ");
	help_append_synopsis(command, text);
	buffer_append_text(text, "\n");
	if (command->description) {
		buffer_append_text(text, "\n");
		append_wrapped(text, command->description, 0, 0);
	}
	if (command == &commands_brig) {
		append_examples(text, command);
		append_commands(text);
	}
	append_positionals(text, command);
	append_options(text, command);
	if (command != &commands_brig)
		append_examples(text, command);
	else
		buffer_append_text(
			text, "\n\"brig COMMAND --help\" tells more about a command, and so does the manual: man brig\n");
}
