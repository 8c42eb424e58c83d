#include "cmd/brig/completion.h"

#include <string.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/option_value.h"

/* What stands around the generated cases. _brig_walk finds the command and counts its arguments. */
static const char head[] = "# bash completion for brig: made by brig itself\n"
			   "\n"
			   "_brig_ids()\n"
			   "{\n"
			   "\tlocal root=() i\n"
			   "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			   "\t\t[[ ${COMP_WORDS[i]} == --root ]] && root=(--root \"${COMP_WORDS[i + 1]}\")\n"
			   "\tdone\n"
			   "\tbrig \"${root[@]}\" list --quiet 2> /dev/null\n"
			   "}\n"
			   "\n"
			   "_brig_reply()\n"
			   "{\n"
			   "\tmapfile -t COMPREPLY < <(compgen \"$@\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
			   "}\n";

/* From the value of an option to what completes it: the argument's name says it all. */
static const char *value_action(const struct command_option *option)
{
	if (!option->argument)
		return NULL;
	if (!strcmp(option->argument, "DIR"))
		return "-d";
	if (!strcmp(option->argument, "FILE") || !strcmp(option->argument, "SOCKET"))
		return "-f";
	return NULL;
}

static void append_choices(struct buffer *out, const char *choices)
{
	for (; *choices; choices++)
		buffer_append(out, *choices == '|' ? " " : choices, 1);
}

static void append_value_case(struct buffer *out, const struct command_option *option)
{
	const char *action = value_action(option);

	buffer_printf(out, "\t--%s", option->name);
	if (option->letter)
		buffer_printf(out, " | -%c", option->letter);
	buffer_append_text(out, ") ");
	if (option->type == OPTION_ENUM) {
		buffer_append_text(out, "_brig_reply -W \"");
		append_choices(out, option->argument);
		buffer_append_text(out, "\"");
	} else if (action) {
		buffer_printf(out, "_brig_reply %s", action);
	} else {
		buffer_append_text(out, ":");
	}
	buffer_append_text(out, "; return ;;\n");
}

/* _brig_value_COMMAND: completes the value of the option before the cursor; fails where that takes none. */
static void append_value_function(struct buffer *out, const struct command *command)
{
	bool any = false;

	buffer_printf(out, "\n_brig_value_%s()\n{\n\tcase $1 in\n", command->name);
	command_for_each_option(option, command) {
		if (option_value_is_flag(option) || (option->flags & OPTION_HIDDEN))
			continue;
		append_value_case(out, option);
		any = true;
	}
	buffer_append_text(out, any ? "\tesac\n\treturn 1\n}\n" : "\t*) return 1 ;;\n\tesac\n}\n");
}

static void append_option_words(struct buffer *out, const struct command *command)
{
	command_for_each_option(option, command) {
		if (!(option->flags & OPTION_HIDDEN))
			buffer_printf(out, "--%s ", option->name);
	}
	buffer_append_text(out, "--help");
}

static void append_command_case(struct buffer *out, const struct command *command)
{
	bool container = command->positionals && command->positionals->kind == POSITIONAL_CONTAINER;

	buffer_printf(out,
		      "\t%s)\n\t\tif _brig_value_%s \"$previous\"; then\n\t\t\t:\n\t\telif [[ $word == -* ]]; then\n",
		      command->name, command->name);
	buffer_append_text(out, "\t\t\t_brig_reply -W \"");
	append_option_words(out, command);
	buffer_append_text(out, "\"\n");
	if (container)
		buffer_append_text(out, "\t\telse\n\t\t\t_brig_reply -W \"$(_brig_ids)\"\n");
	buffer_append_text(out, "\t\tfi\n\t\t;;\n");
}

static void append_main(struct buffer *out)
{
	buffer_append_text(out,
			   "\n_brig()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} "
			   "command='' i\n"
			   "\tCOMPREPLY=()\n"
			   "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			   "\t\tif _brig_value_brig \"${COMP_WORDS[i]}\"; then\n"
			   "\t\t\t((i++))\n"
			   "\t\telif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
			   "\t\t\tcommand=${COMP_WORDS[i]}\n"
			   "\t\t\tbreak\n"
			   "\t\tfi\n"
			   "\tdone\n"
			   "\tCOMPREPLY=()\n"
			   "\tcase $command in\n"
			   "\t'')\n\t\tif _brig_value_brig \"$previous\"; then\n\t\t\t:\n"
			   "\t\telif [[ $word == -* ]]; then\n\t\t\t_brig_reply -W \"");
	append_option_words(out, &commands_brig);
	buffer_append_text(out, "\"\n\t\telse\n\t\t\t_brig_reply -W \"");
	for (size_t i = 0; commands_list[i]; i++)
		if (commands_list[i]->group != COMMAND_HIDDEN)
			buffer_printf(out, "%s ", commands_list[i]->name);
	buffer_append_text(out, "help\"\n\t\tfi\n\t\t;;\n");
	for (size_t i = 0; commands_list[i]; i++)
		if (commands_list[i]->group != COMMAND_HIDDEN)
			append_command_case(out, commands_list[i]);
	buffer_append_text(out, "\tesac\n}\n\ncomplete -o filenames -F _brig brig\n");
}

void completion_append(struct buffer *text)
{
	buffer_append_text(text, head);
	append_value_function(text, &commands_brig);
	for (size_t i = 0; commands_list[i]; i++)
		if (commands_list[i]->group != COMMAND_HIDDEN)
			append_value_function(text, commands_list[i]);
	append_main(text);
}
