#include <errno.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

/* Callers probe for these commands and pass their options in full, so all of them are known, and refused as a whole. */
struct checkpoint_options {
	const char *id, *image_path, *work_path, *parent_path, *page_server;
	const char *bundle, *console_socket, *pid_file, *lsm_profile, *lsm_mount_context;
	bool leave_running, tcp_established, ext_unix_sk, shell_job, lazy_pages, file_locks, pre_dump, auto_dedup;
	bool detach, no_subreaper, no_pivot;
	int manage_cgroups_mode;
	struct option_number status_fd;
	struct option_list empty_ns;
};

#define AT(member) offsetof(struct checkpoint_options, member)
#define COMMON_OPTIONS                                                                                                  \
	{ "image-path", 0, OPTION_STRING, 0, AT(image_path), "DIR", NULL, "where the images are" },                     \
		{ "work-path", 0, OPTION_STRING, 0, AT(work_path), "DIR", NULL, "where work files and logs go" },       \
		{ "tcp-established", 0, OPTION_FLAG, 0, AT(tcp_established), NULL, NULL, "with open TCP connections" }, \
		{ "ext-unix-sk", 0, OPTION_FLAG, 0, AT(ext_unix_sk), NULL, NULL, "with external UNIX sockets" },        \
		{ "shell-job", 0, OPTION_FLAG, 0, AT(shell_job), NULL, NULL, "with a terminal from outside" },          \
		{ "lazy-pages", 0, OPTION_FLAG, 0, AT(lazy_pages), NULL, NULL, "bring memory in when it is used" },     \
		{ "file-locks", 0, OPTION_FLAG, 0, AT(file_locks), NULL, NULL, "with file locks" },                     \
		{ "manage-cgroups-mode",                                                                                \
		  0,                                                                                                    \
		  OPTION_ENUM,                                                                                          \
		  0,                                                                                                    \
		  AT(manage_cgroups_mode),                                                                              \
		  "soft|full|strict|ignore",                                                                            \
		  NULL,                                                                                                 \
		  "how cgroups are restored" },                                                                         \
		{ "empty-ns", 0, OPTION_LIST, 0, AT(empty_ns), "KIND", NULL, "a namespace to restore empty" },          \
	{                                                                                                               \
		"auto-dedup", 0, OPTION_FLAG, 0, AT(auto_dedup), NULL, NULL, "without memory that images share"         \
	}

static const struct command_option checkpoint_options[] = {
	COMMON_OPTIONS,
	{ "parent-path", 0, OPTION_STRING, 0, AT(parent_path), "DIR", NULL, "the images of an earlier pre-dump" },
	{ "page-server", 0, OPTION_STRING, 0, AT(page_server), "ADDRESS:PORT", NULL, "where memory is sent to" },
	{ "status-fd", 0, OPTION_NUMBER, 0, AT(status_fd), "FD", NULL, "told when lazy pages can be served" },
	{ "leave-running", 0, OPTION_FLAG, 0, AT(leave_running), NULL, NULL, "go on after the checkpoint" },
	{ "pre-dump", 0, OPTION_FLAG, 0, AT(pre_dump), NULL, NULL, "memory only, and go on" },
	{ 0 },
};

static const struct command_option restore_options[] = {
	CONTAINER_OPTIONS(struct checkpoint_options),
	COMMON_OPTIONS,
	{ "detach", 'd', OPTION_FLAG, 0, AT(detach), NULL, NULL, "return as soon as the program runs" },
	{ "no-subreaper", 0, OPTION_FLAG, 0, AT(no_subreaper), NULL, NULL, "don't adopt processes that are left behind" },
	{ "lsm-profile", 0, OPTION_STRING, 0, AT(lsm_profile), "TYPE:NAME", NULL, "the security module's profile" },
	{ "lsm-mount-context", 0, OPTION_STRING, 0, AT(lsm_mount_context), "CONTEXT", NULL, "the context of mounts" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct checkpoint_options, id),
	{ 0 },
};

static int run_checkpoint(const struct brig *brig, const void *options, struct error *err)
{
	const struct checkpoint_options *request = options;

	(void)brig;
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "checkpoint %.100s: brig does not support checkpoints; nothing was done to the container",
			 request->id);
}

static int run_restore(const struct brig *brig, const void *options, struct error *err)
{
	const struct checkpoint_options *request = options;

	(void)brig;
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			 "restore %.100s: brig does not support checkpoints; create the container anew", request->id);
}

const struct command cmd_checkpoint = {
	.name = "checkpoint",
	.summary = "not supported: save a running container to files",
	.description = "brig takes the options that other runtimes have, and refuses with exit status 1.",
	.group = COMMAND_HIDDEN,
	.options_size = COMMAND_OPTIONS_SIZE(struct checkpoint_options),
	.options = checkpoint_options,
	.positionals = positionals,
	.run = run_checkpoint,
};

const struct command cmd_restore = {
	.name = "restore",
	.summary = "not supported: bring a container back from files",
	.description = "brig takes the options that other runtimes have, and refuses with exit status 1.",
	.group = COMMAND_HIDDEN,
	.options_size = COMMAND_OPTIONS_SIZE(struct checkpoint_options),
	.options = restore_options,
	.positionals = positionals,
	.run = run_restore,
};
