#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"

struct apparmor_options {
	const char *action;
};

static const struct command_option apparmor_options[] = { { 0 } };

static const struct command_positional positionals[] = {
	{ POSITIONAL_WORD, offsetof(struct apparmor_options, action), "ACTION", "load, or print" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig apparmor load", "into the kernel, until the next boot; brig-apparmor.service does it at each" },
	{ "brig apparmor print", "its text" },
	{ 0 },
};

static int print(struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int r = brig_apparmor_print(&text);

	return r < 0 ? error_memory(err) : output_write(&text, err);
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct apparmor_options *options = data;

	(void)brig;
	if (strcmp(options->action, "load") == 0)
		return brig_apparmor_load(err);
	if (strcmp(options->action, "print") == 0)
		return print(err);
	return error_set(err, ERROR_USAGE, EINVAL, "apparmor %.50s: no such action; give load or print", options->action);
}

const struct command cmd_apparmor = {
	.name = "apparmor",
	.summary = "load the AppArmor profile brig-default, or print it",
	.description =
		"Containers whose config.json names no profile get brig-default where AppArmor is on and the profile is loaded "
		"(the policy's rule apparmor). The text is in the program; apparmor_parser(8), of the package apparmor, "
		"compiles it.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_KEEPS_NO_STATE,
	.options_size = COMMAND_OPTIONS_SIZE(struct apparmor_options),
	.options = apparmor_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
