#include <errno.h>

#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

/* Callers pass their options in full: what CRIU can do and brig does not offer is known, and refused by name. */
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
#define COMMON_OPTIONS                                                                                                   \
	{ "image-path", 0, OPTION_STRING, 0, AT(image_path), "DIR", NULL, "where the images are; default: checkpoint" }, \
		{ "work-path",	 0,	OPTION_STRING, 0,                                                                \
		  AT(work_path), "DIR", NULL,	       "where CRIU's log goes; default: beside the images" },            \
		{ "tcp-established", 0, OPTION_FLAG, 0, AT(tcp_established), NULL, NULL, "with open TCP connections" },  \
		{ "ext-unix-sk", 0, OPTION_FLAG, 0, AT(ext_unix_sk), NULL, NULL, "with external UNIX sockets" },         \
		{ "shell-job", 0, OPTION_FLAG, 0, AT(shell_job), NULL, NULL, "with a terminal from outside" },           \
		{ "lazy-pages", 0, OPTION_FLAG, 0, AT(lazy_pages), NULL, NULL, "bring memory in when it is used" },      \
		{ "file-locks", 0, OPTION_FLAG, 0, AT(file_locks), NULL, NULL, "with file locks" },                      \
		{ "manage-cgroups-mode",                                                                                 \
		  0,                                                                                                     \
		  OPTION_ENUM,                                                                                           \
		  0,                                                                                                     \
		  AT(manage_cgroups_mode),                                                                               \
		  "soft|full|strict|ignore",                                                                             \
		  NULL,                                                                                                  \
		  "how cgroups are restored" },                                                                          \
		{ "empty-ns", 0, OPTION_LIST, 0, AT(empty_ns), "KIND", NULL, "a namespace to restore empty" },           \
	{                                                                                                                \
		"auto-dedup", 0, OPTION_FLAG, 0, AT(auto_dedup), NULL, NULL, "without memory that images share"          \
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

static int refuse(const char *option, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP, "%s: brig does not offer this; leave it out", option);
}

static int check(const struct checkpoint_options *asked, struct error *err)
{
	if (asked->lazy_pages)
		return refuse("--lazy-pages", err);
	if (asked->page_server)
		return refuse("--page-server", err);
	if (asked->status_fd.set)
		return refuse("--status-fd", err);
	if (asked->empty_ns.n_items > 0)
		return refuse("--empty-ns", err);
	if (asked->lsm_profile && *asked->lsm_profile)
		return refuse("--lsm-profile", err);
	if (asked->lsm_mount_context && *asked->lsm_mount_context)
		return refuse("--lsm-mount-context", err);
	return 0;
}

static struct brig_images images_of(const struct checkpoint_options *asked)
{
	return (struct brig_images){
		.path = asked->image_path,
		.work_path = asked->work_path,
		.parent_path = asked->parent_path,
		.leave_running = asked->leave_running,
		.pre_dump = asked->pre_dump,
		.auto_dedup = asked->auto_dedup,
		.tcp_established = asked->tcp_established,
		.external_unix_sockets = asked->ext_unix_sk,
		.shell_job = asked->shell_job,
		.file_locks = asked->file_locks,
	};
}

static int run_checkpoint(const struct brig *brig, const void *options, struct error *err)
{
	const struct checkpoint_options *asked = options;
	const struct brig_images images = images_of(asked);
	int r = check(asked, err);

	return r < 0 ? r : brig_checkpoint(brig, asked->id, &images, err);
}

static int run_restore(const struct brig *brig, const void *options, struct error *err)
{
	const struct checkpoint_options *asked = options;
	const struct brig_images images = images_of(asked);
	const struct brig_create create = {
		.id = asked->id,
		.bundle = asked->bundle,
		.pid_file = asked->pid_file,
		.console_socket = asked->console_socket,
		.no_pivot = asked->no_pivot,
		.detach = asked->detach,
		.no_subreaper = asked->no_subreaper,
		.images = &images,
	};
	int status = 0, r = check(asked, err);

	if (r >= 0)
		r = brig_run(brig, &create, &status, err);
	return r < 0 ? r : status;
}

/* "checkpoint" in the working directory: runc's default, which callers rely on. */
static const struct checkpoint_options defaults = { .image_path = "checkpoint", .bundle = "." };

static const struct command_example checkpoint_examples[] = {
	{ "brig checkpoint --image-path /srv/images box1", "save it, and end it" },
	{ "brig checkpoint --leave-running --image-path /srv/images box1", "save it, and let it go on" },
	{ 0 },
};

const struct command cmd_checkpoint = {
	.name = "checkpoint",
	.summary = "save a container's processes to files",
	.description =
		"Runs CRIU (package criu), which writes memory, open files and all else that a running or paused container's "
		"processes consist of. The root file system is not part of it. A container that the policy holds with more than "
		"config.json asks for is refused: what is brought back has what its files say.",
	.group = COMMAND_CHANGES,
	.options_size = COMMAND_OPTIONS_SIZE(struct checkpoint_options),
	.defaults = &defaults,
	.options = checkpoint_options,
	.positionals = positionals,
	.examples = checkpoint_examples,
	.run = run_checkpoint,
};

static const struct command_example restore_examples[] = {
	{ "brig restore --detach --image-path /srv/images --bundle /srv/box box1", "go on where it was saved" },
	{ 0 },
};

const struct command cmd_restore = {
	.name = "restore",
	.summary = "bring a container back from files",
	.description =
		"Makes the container's cgroup with its limits and has CRIU bring back the processes that checkpoint saved, with "
		"the mounts and namespaces that they had. The bundle has to be the one that was saved, its root file system as it was. "
		"Otherwise as run.",
	.group = COMMAND_RUNS,
	.flags = COMMAND_PROTECTS_ITSELF,
	.options_size = COMMAND_OPTIONS_SIZE(struct checkpoint_options),
	.defaults = &defaults,
	.options = restore_options,
	.positionals = positionals,
	.examples = restore_examples,
	.run = run_restore,
};
