#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/completion.h"
#include "cmd/brig/help.h"
#include "cmd/brig/man.h"
#include "cmd/brig/output.h"

struct help_options {
	const char *command;
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_OPTIONAL, offsetof(struct help_options, command), "COMMAND",
	  "the command to explain; default: all of brig" },
	{ 0 },
};

/* One text about one command, or about brig. */
static int print_about(const void *data, void (*append)(const struct command *, struct buffer *), struct error *err)
{
	const struct help_options *options = data;
	const struct command *command = options->command ? commands_get(options->command, err) : &commands_brig;
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };

	if (!command)
		return -err->code;
	append(command, &text);
	return output_write(&text, err);
}

static int run_help(const struct brig *brig, const void *options, struct error *err)
{
	(void)brig;
	return print_about(options, help_append, err);
}

static int run_man(const struct brig *brig, const void *options, struct error *err)
{
	(void)brig;
	return print_about(options, man_append, err);
}

static int run_completion(const struct brig *brig, const void *options, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };

	(void)brig;
	(void)options;
	completion_append(&text);
	return output_write(&text, err);
}

const struct command cmd_help = {
	.name = "help",
	.summary = "explain brig or one of its commands",
	.group = COMMAND_HIDDEN,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct help_options),
	.positionals = positionals,
	.run = run_help,
};

const struct command cmd_man = {
	.name = "__man",
	.summary = "print a manual page as scdoc(5) text",
	.group = COMMAND_HIDDEN,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct help_options),
	.positionals = positionals,
	.run = run_man,
};

const struct command cmd_completion = {
	.name = "__completion",
	.summary = "print the completion for bash",
	.group = COMMAND_HIDDEN,
	.flags = COMMAND_KEEPS_NO_STATE,
	.run = run_completion,
};
