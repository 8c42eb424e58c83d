#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct container_argument, id),
	{ 0 },
};

static int run(const struct brig *brig, const void *options, struct error *err)
{
	const struct container_argument *argument = options;

	return brig_start(brig, argument->id, err);
}

const struct command cmd_start = {
	.name = "start",
	.summary = "let the program of a created container run",
	.description = "Returns as soon as the program was executed. Where that fails, the container is stopped, and "
		       "the error says why.",
	.group = COMMAND_RUNS,
	.options_size = COMMAND_OPTIONS_SIZE(struct container_argument),
	.positionals = positionals,
	.run = run,
};
