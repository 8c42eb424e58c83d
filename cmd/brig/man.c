#include "cmd/brig/man.h"

#include <string.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/help.h"

static const char *const exit_statuses[] = {
	"run and exec",
	"the status of the program, or 128 and the number of the signal that ended it",
	"0",
	"success",
	"1",
	"brig failed; one line on the standard error says why",
	"255",
	"exec: the program could not be executed",
};

static const char *const files[] = {
	"/etc/brig/policy.json",
	("what the site allows, where *--policy* is not given: {\"set\": \"strict\", \"rules\": {RULE: LEVEL}}. *brig plan* "
	 "names the rules, each with its level: enforce (refuse), adjust (go on with what can be done), warn, or off. The file has "
	 "to belong to root and to be writable for nobody else"),
	"/run/brig",
	"the state of containers, where *--root* is not given",
	"/var/log/brig/audit.jsonl",
	"the audit trail, where the policy has one and names no other; *brig audit* prints it",
};

/* Underscores, stars and the like are scdoc's own signs. */
static void append_escaped(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\_*#`[]|<>", *text))
			buffer_append_text(out, "\\");
		buffer_append(out, text, 1);
	}
}

static void append_paragraphs(struct buffer *out, const char *text)
{
	append_escaped(out, text);
	buffer_append_text(out, "\n\n");
}

static void append_option(struct buffer *out, const struct command_option *option)
{
	if (option->letter)
		buffer_printf(out, "*-%c*, ", option->letter);
	buffer_printf(out, "*--%s*", option->name);
	if (option->argument) {
		buffer_append_text(out, " _");
		append_escaped(out, option->argument);
		buffer_append_text(out, "_");
	}
	buffer_append_text(out, "\n\t");
	append_escaped(out, option->help);
	buffer_append_text(out, ".\n\n");
}

static void append_options(struct buffer *out, const struct command *command)
{
	buffer_append_text(out, command == &commands_brig ? "# GLOBAL OPTIONS\n\n" : "# OPTIONS\n\n");
	command_for_each_option(option, command) {
		if (!(option->flags & OPTION_HIDDEN))
			append_option(out, option);
	}
	buffer_append_text(out, "*-h*, *--help*\n\tprint a summary and end.\n\n");
}

static void append_arguments(struct buffer *out, const struct command *command)
{
	if (!command->positionals || command == &commands_brig)
		return;
	buffer_append_text(out, "# ARGUMENTS\n\n");
	command_for_each_positional(positional, command) {
		buffer_append_text(out, "_");
		append_escaped(out, positional->name);
		buffer_append_text(out, "_\n\t");
		append_escaped(out, positional->help);
		buffer_append_text(out, ".\n\n");
	}
}

static void append_commands(struct buffer *out)
{
	buffer_append_text(out, "# COMMANDS\n\n");
	for (enum command_group group = 0; group < COMMAND_HIDDEN; group++) {
		buffer_printf(out, "## %s\n\n", help_group_title(group));
		for (size_t i = 0; commands_list[i]; i++) {
			if (commands_list[i]->group != group)
				continue;
			buffer_printf(out, "*%s*\n\t", commands_list[i]->name);
			append_escaped(out, commands_list[i]->summary);
			buffer_printf(out, "; see *brig-%s*(1).\n\n", commands_list[i]->name);
		}
	}
}

static void append_examples(struct buffer *out, const struct command *command)
{
	if (!command->examples)
		return;
	buffer_append_text(out, "# EXAMPLES\n\n");
	for (const struct command_example *example = command->examples; example->line; example++) {
		append_escaped(out, example->explanation);
		buffer_printf(out, ":\n\n```\n%s\n```\n\n", example->line);
	}
}

static void append_exit_status(struct buffer *out)
{
	buffer_append_text(out, "# EXIT STATUS\n\n");
	for (size_t i = 0; i < sizeof(exit_statuses) / sizeof(*exit_statuses); i += 2)
		buffer_printf(out, "*%s*\n\t%s.\n\n", exit_statuses[i], exit_statuses[i + 1]);
}

static void append_files(struct buffer *out)
{
	buffer_append_text(out, "# FILES\n\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i += 2)
		buffer_printf(out, "*%s*\n\t%s.\n\n", files[i], files[i + 1]);
}

static void append_see_also(struct buffer *out, const struct command *command)
{
	buffer_append_text(out, "# SEE ALSO\n\n");
	if (command == &commands_brig)
		buffer_append_text(out, "*runc*(8), *crun*(1), *containerd*(8), *podman*(1)\n");
	else
		buffer_append_text(out, "*brig*(1) for the global options and the exit status\n");
}

/* In scdoc's own language (scdoc(5)); the build makes roff of it. From the tables that the parser and --help use: the manual
 * can't lag behind. */
void man_append(const struct command *command, struct buffer *text)
{
	bool top = command == &commands_brig;

	buffer_printf(text, "brig%s%s(1)\n\n# NAME\n\n", top ? "" : "-", top ? "" : command->name);
	buffer_printf(text, "brig%s%s - %s\n\n# SYNOPSIS\n\n", top ? "" : "-", top ? "" : command->name,
		      command->summary);
	buffer_append_text(text, "```\n");
	help_append_synopsis(command, text);
	buffer_append_text(text, "\n```\n\n");
	if (command->description) {
		buffer_append_text(text, "# DESCRIPTION\n\n");
		append_paragraphs(text, command->description);
	}
	if (top)
		append_commands(text);
	append_arguments(text, command);
	append_options(text, command);
	append_examples(text, command);
	if (top) {
		append_exit_status(text);
		append_files(text);
	}
	append_see_also(text, command);
}
