#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct container_argument, id),
	{ 0 },
};

static int run(const struct brig *brig, const void *options, struct error *err)
{
	const struct container_argument *argument = options;

	return brig_resume(brig, argument->id, err);
}

const struct command cmd_resume = {
	.name = "resume",
	.summary = "let a paused container go on",
	.description = "The opposite of pause.",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct container_argument),
	.positionals = positionals,
	.run = run,
};
