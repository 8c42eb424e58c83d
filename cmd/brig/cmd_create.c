#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

#define AT(member) offsetof(struct brig_create, member)
#define COMMON_OPTIONS                                                                                            \
	CONTAINER_OPTIONS(struct brig_create), { "pidfd-socket",                                                  \
						 0,                                                               \
						 OPTION_STRING,                                                   \
						 0,                                                               \
						 AT(pidfd_socket),                                                \
						 "SOCKET",                                                        \
						 NULL,                                                            \
						 "a UNIX socket to send a pidfd of the container's program to" }, \
		{ "no-new-keyring",                                                                               \
		  0,                                                                                              \
		  OPTION_FLAG,                                                                                    \
		  0,                                                                                              \
		  AT(no_new_keyring),                                                                             \
		  NULL,                                                                                           \
		  NULL,                                                                                           \
		  "keep the caller's session keyring; the program can then use its keys" },                       \
	{                                                                                                         \
		"preserve-fds", 0, OPTION_UNSIGNED, 0, AT(preserve_fds), "N", NULL,                               \
			"pass the N descriptors from 3 on to the program, with those of LISTEN_FDS"               \
	}

static const struct brig_create defaults = { .bundle = "." };

static const struct command_positional positionals[] = {
	{ POSITIONAL_WORD, AT(id), "ID", "a name for the container: letters, digits and _ + - ., which is not the first" },
	{ 0 },
};

static const struct command_option create_options[] = {
	COMMON_OPTIONS,
	{ "detach", 'd', OPTION_FLAG, OPTION_HIDDEN, AT(detach), NULL, NULL, "create always does" },
	{ 0 },
};

static const struct command_example create_examples[] = {
	{ "brig create --bundle /srv/box --pid-file /run/box1.pid box1", "make the container; its program waits" },
	{ "brig start box1", "let it run" },
	{ 0 },
};

static int run_create(const struct brig *brig, const void *options, struct error *err)
{
	return brig_create(brig, options, /* ret_process= */ NULL, err);
}

const struct command cmd_create = {
	.name = "create",
	.summary = "make a container whose program waits for start",
	.description = "Makes everything that config.json asks for: namespaces, mounts, cgroup and limits. The program is "
		       "not executed yet; that is what start does. The container's standard streams are those of "
		       "create.",
	.group = COMMAND_RUNS,
	.flags = COMMAND_PROTECTS_ITSELF,
	.options_size = COMMAND_OPTIONS_SIZE(struct brig_create),
	.defaults = &defaults,
	.options = create_options,
	.positionals = positionals,
	.examples = create_examples,
	.run = run_create,
};

static const struct command_option run_options[] = {
	COMMON_OPTIONS,
	{ "detach", 'd', OPTION_FLAG, 0, AT(detach), NULL, NULL, "return as soon as the program runs" },
	{ "keep", 0, OPTION_FLAG, 0, AT(keep), NULL, NULL, "keep the container after its end, for state and delete" },
	{ "no-subreaper", 0, OPTION_FLAG, 0, AT(no_subreaper), NULL, NULL,
	  "don't become the parent of processes that the container leaves behind" },
	{ 0 },
};

static const struct command_example run_examples[] = {
	{ "brig run --bundle /srv/box box1", "in the foreground" },
	{ "brig run --detach --pid-file /run/box1.pid box1", "in the background, with the bundle in this directory" },
	{ 0 },
};

static int run_run(const struct brig *brig, const void *options, struct error *err)
{
	int status = 0, r = brig_run(brig, options, &status, err);

	return r < 0 ? r : status;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "make a container and run its program",
	.description =
		"The same as create and start, and in the foreground also delete at the end: signals are passed on to "
		"the program, and a terminal is connected where config.json asks for one.\n\n"
		"The exit status is the program's, 128 and the signal's number where a signal ended it, or 1 "
		"where brig itself failed.",
	.group = COMMAND_RUNS,
	.flags = COMMAND_PROTECTS_ITSELF,
	.options_size = COMMAND_OPTIONS_SIZE(struct brig_create),
	.defaults = &defaults,
	.options = run_options,
	.positionals = positionals,
	.examples = run_examples,
	.run = run_run,
};
