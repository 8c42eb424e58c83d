#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

struct delete_options {
	const char *id;
	bool force;
};

static const struct command_option delete_options[] = {
	{ "force", 'f', OPTION_FLAG, 0, offsetof(struct delete_options, force), NULL, NULL,
	  "end a running container first; one that does not exist is no error" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct delete_options, id),
	{ 0 },
};

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct delete_options *options = data;

	return brig_delete(brig, options->id, options->force, err);
}

const struct command cmd_delete = {
	.name = "delete",
	.summary = "remove a stopped container",
	.description =
		"Removes the cgroup and the state, and runs the poststop hooks. The bundle stays as it is. With --force also "
		"what an interrupted create left behind is removed.",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct delete_options),
	.options = delete_options,
	.positionals = positionals,
	.run = run,
};
