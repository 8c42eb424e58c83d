#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/completion.h"
#include "cmd/brig/help.h"
#include "cmd/brig/man.h"

static void expect_part(const struct buffer *text, const char *part, const char *command)
{
	cr_expect_not_null(strstr(text->data, part), "%s lacks \"%s\"", command, part);
}

static void expect_all_options(const struct command *command, void (*append)(const struct command *, struct buffer *))
{
	struct buffer text = { 0 };
	char part[128];

	append(command, &text);
	cr_assert_eq(text.failed, 0);
	command_for_each_option(option, command) {
		snprintf(part, sizeof(part), "--%s", option->name);
		if (option->flags & OPTION_HIDDEN)
			continue;
		expect_part(&text, part, command->name);
	}
	command_for_each_positional(positional, command) {
		if (command != &commands_brig)
			expect_part(&text, positional->name, command->name);
	}
	expect_part(&text, command->summary, command->name);
	buffer_done(&text);
}

Test(help, mentions_every_option)
{
	expect_all_options(&commands_brig, help_append);
	for (size_t i = 0; commands_list[i]; i++)
		expect_all_options(commands_list[i], help_append);
}

Test(man, mentions_every_option)
{
	expect_all_options(&commands_brig, man_append);
	for (size_t i = 0; commands_list[i]; i++)
		if (commands_list[i]->group != COMMAND_HIDDEN)
			expect_all_options(commands_list[i], man_append);
}

Test(man, brig_refers_to_every_command)
{
	struct buffer text = { 0 };
	char part[64];

	man_append(&commands_brig, &text);
	for (size_t i = 0; commands_list[i]; i++) {
		snprintf(part, sizeof(part), "*brig-%s*(1)", commands_list[i]->name);
		if (commands_list[i]->group != COMMAND_HIDDEN)
			expect_part(&text, part, "brig(1)");
	}
	buffer_done(&text);
}

Test(man, underscores_are_no_markup)
{
	struct buffer text = { 0 };

	man_append(&cmd_exec, &text);
	expect_part(&text, "CAP\\_NET\\_RAW", "brig-exec(1)");
	buffer_done(&text);
}

Test(completion, mentions_every_option_and_command)
{
	struct buffer text = { 0 };
	char part[128];

	completion_append(&text);
	for (size_t i = 0; commands_list[i]; i++) {
		if (commands_list[i]->group == COMMAND_HIDDEN)
			continue;
		snprintf(part, sizeof(part), "\n\t%s)\n", commands_list[i]->name);
		expect_part(&text, part, "the completion");
		command_for_each_option(option, commands_list[i]) {
			snprintf(part, sizeof(part), "--%s ", option->name);
			if (!(option->flags & OPTION_HIDDEN))
				expect_part(&text, part, commands_list[i]->name);
		}
	}
	buffer_done(&text);
}

Test(help, lines_are_short)
{
	struct buffer text = { 0 };

	help_append(&commands_brig, &text);
	for (size_t i = 0; commands_list[i]; i++)
		help_append(commands_list[i], &text);
	for (const char *line = text.data; *line; line += strcspn(line, "\n"), line += *line == '\n')
		cr_expect_leq(strcspn(line, "\n"), 100, "%.*s", (int)strcspn(line, "\n"), line);
	buffer_done(&text);
}

/* What a table says by mistake shows in use only: two options of one name, values outside the structure. */
static void check_table(const struct command *command)
{
	cr_expect_leq(command->options_size, COMMAND_OPTIONS_MAX, "%s", command->name);
	cr_expect_null(strchr(command->summary, '\n'));
	command_for_each_option(option, command) {
		bool flag = option->type == OPTION_FLAG || option->type == OPTION_SWITCH;

		cr_expect_lt(option->offset, command->options_size, "%s --%s", command->name, option->name);
		cr_expect_eq(flag, option->argument == NULL, "%s --%s", command->name, option->name);
		cr_expect_neq(option->help[strlen(option->help) - 1], '.', "%s --%s", command->name, option->name);
		for (const struct command_option *other = option + 1; other->name; other++) {
			cr_expect_str_neq(option->name, other->name, "%s", command->name);
			cr_expect(!option->letter || option->letter != other->letter, "%s -%c", command->name,
				  option->letter);
			cr_expect_neq(option->offset, other->offset, "%s: --%s and --%s share a place", command->name,
				      option->name, other->name);
		}
	}
	command_for_each_positional(positional, command)
		cr_expect_lt(positional->offset, command->options_size, "%s %s", command->name, positional->name);
}

Test(commands, tables_make_sense)
{
	check_table(&commands_brig);
	for (size_t i = 0; commands_list[i]; i++) {
		check_table(commands_list[i]);
		cr_expect_not_null(commands_list[i]->run);
		cr_expect_eq(commands_find(commands_list[i]->name), commands_list[i]);
	}
}

Test(commands, only_those_that_execute_a_program_protect_themselves)
{
	for (size_t i = 0; commands_list[i]; i++) {
		const struct command *command = commands_list[i];
		bool executes = command == &cmd_create || command == &cmd_run || command == &cmd_exec ||
				command == &cmd_sandbox || command == &cmd_learn || command == &cmd_restore;

		cr_expect_eq(executes, (command->flags & COMMAND_PROTECTS_ITSELF) != 0, "%s", command->name);
	}
}
