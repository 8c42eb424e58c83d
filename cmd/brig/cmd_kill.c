#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/names.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

struct kill_options {
	const char *id, *signal;
	bool all;
};

#define AT(member) offsetof(struct kill_options, member)

static const struct kill_options defaults = { .signal = "SIGTERM" };

static const struct command_option kill_options[] = {
	{ "all", 'a', OPTION_FLAG, 0, AT(all), NULL, NULL,
	  "send it to every process of the container; one that is stopped is no error then" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct kill_options, id),
	{ POSITIONAL_OPTIONAL, AT(signal), "SIGNAL", "a name, with or without SIG, or a number; default: SIGTERM" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig kill box1 KILL", "end the program at once" },
	{ "brig kill --all box1 9", "end all processes" },
	{ 0 },
};

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct kill_options *options = data;
	/* Signal 0 asks only whether there is a process, kill(2). */
	int signal = strcmp(options->signal, "0") ? names_signal(options->signal) : 0;

	if (signal < 0)
		return error_set(
			err, ERROR_USAGE, EINVAL,
			"unknown signal \"%.100s\": expected a name such as TERM or SIGTERM, or a number from 0 to %d",
			options->signal, SIGRTMAX);
	return brig_kill(brig, options->id, signal, options->all, err);
}

const struct command cmd_kill = {
	.name = "kill",
	.summary = "send a signal to a container's program",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct kill_options),
	.defaults = &defaults,
	.options = kill_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
