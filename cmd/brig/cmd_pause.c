#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct container_argument, id),
	{ 0 },
};

static int run(const struct brig *brig, const void *options, struct error *err)
{
	const struct container_argument *argument = options;

	return brig_pause(brig, argument->id, err);
}

const struct command cmd_pause = {
	.name = "pause",
	.summary = "stop all processes of a container for a while",
	.description = "The processes get no processor time until resume, and know nothing of it. Memory stays in use.",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct container_argument),
	.positionals = positionals,
	.run = run,
};
