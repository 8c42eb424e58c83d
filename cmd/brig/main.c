/* brig: from argv to one command, and from its error to one line and an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "brig-version.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/help.h"
#include "cmd/brig/options.h"
#include "cmd/brig/output.h"

#define ARGUMENTS_LIMIT ((size_t)16 * 1024 * 1024) /* for lists of options; the kernel's own limit on argv is lower */
#define EXIT_OWN_ERROR 1

struct invocation {
	char **argv;
	struct arena *arena;
	struct commands_globals globals;
	const struct command *command; /* NULL until it is known */
	_Alignas(max_align_t) char options[COMMAND_OPTIONS_MAX];
	bool log_is_open;
};

/* Does brig write to its standard streams itself, and nobody else? A container's, or a hook's, are theirs. */
static bool writes_itself(const struct command *command)
{
	bool starts_program = command->flags & COMMAND_PROTECTS_ITSELF;

	return command->flags & COMMAND_RELAYS_OUTPUT || command->group == COMMAND_LOOKS ||
	       command->group == COMMAND_HIDDEN || (command->group == COMMAND_PREPARES && !starts_program);
}

/* A closed standard stream would be the next descriptor that brig opens, and the container would get that as its own. What a container
 * writes there is lost, as under runc; what brig was to write is a failure: a result that is missing must not look like success. */
static void fill_standard_streams(const struct command *command)
{
	int output_mode = writes_itself(command) ? O_RDONLY : O_RDWR;
	struct pollfd streams[] = { { .fd = STDIN_FILENO }, { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } };
	int fd;

	if (poll(streams, ARRAY_SIZE(streams), 0) <= 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		if (!(streams[i].revents & POLLNVAL))
			continue;
		/* The lowest free number is this one. */
		fd = open("/dev/null", i == STDIN_FILENO ? O_RDWR : output_mode);
		if (fd != streams[i].fd)
			_exit(EXIT_OWN_ERROR);
	}
}

/* A caller that ignores SIGCHLD would take the exit statuses away that we wait for. A reader of our messages who is gone, or the caller's
 * RLIMIT_FSIZE, must not end us with a container half made. The program inside has none of that from us. */
static void take_signals(void)
{
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* Three lines, no more: older versions of go-runc take each by its place, newer ones by the words before it and pass over a
 * first line that does not begin with "runc version"; podman, CRI-O and docker show what they find. */
static int print_version(struct error *err)
{
	static char text[] = "brig version " PACKAGE_VERSION "\ncommit: " BRIG_COMMIT "\nspec: 1.3.0\n";
	const struct buffer version = { .data = text, .length = sizeof(text) - 1 };

	return output_write(&version, err);
}

static int print_help(const struct command *command, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };

	help_append(command, &text);
	return output_write(&text, err);
}

/* Called after brig_protect_executable(), which may execute us anew: a log that was open before would be opened twice. */
static int open_log(struct invocation *invocation, struct error *err)
{
	struct log_options options = {
		.path = invocation->globals.log && *invocation->globals.log ? invocation->globals.log : NULL,
		.format = invocation->globals.log_format ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
		.level = commands_log_level(&invocation->globals),
	};
	int r = log_open(&options, err);

	invocation->log_is_open = r == 0;
	return r;
}

/* The state directory's path goes into files that a later brig reads from another working directory. */
static const char *make_absolute(struct arena *arena, const char *path)
{
	AUTO_FREE char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);

	if (path[0] == '/')
		return path;
	return here ? arena_printf(arena, "%s/%s", here, path) : NULL;
}

/* Of an ordinary user without a directory of the session: made by us, or left alone. What somebody else has put there first, in a
 * directory that is for everybody, would be trusted. */
static int take_shared_place(struct invocation *invocation, const char **ret, struct error *err)
{
	unsigned uid = geteuid();
	const char *path = arena_printf(invocation->arena, "/tmp/brig-%u", uid);
	struct stat status;

	if (!path)
		return error_memory(err);
	*ret = path;
	if (invocation->command->flags & COMMAND_KEEPS_NO_STATE)
		return 0;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_system(err, errno, "make the state directory %s; give --root, or set XDG_RUNTIME_DIR", path);
	if (lstat(path, &status) < 0)
		return error_system(err, errno, "look at the state directory %s", path);
	if (!S_ISDIR(status.st_mode) || status.st_uid != uid || status.st_mode & 0077)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "the state directory %s has to be a directory of user %u that is closed to all others (mode "
				 "0700): remove it, give --root, or set XDG_RUNTIME_DIR",
				 path, uid);
	return 0;
}

/* su and the like pass on that of another user. */
static bool is_usable(const char *runtime_dir)
{
	return runtime_dir && runtime_dir[0] == '/' && faccessat(AT_FDCWD, runtime_dir, W_OK | X_OK, AT_EACCESS) == 0;
}

static int choose_root(struct invocation *invocation, const char **ret, struct error *err)
{
	const char *given = invocation->globals.root, *runtime_dir = getenv("XDG_RUNTIME_DIR"), *root;

	if (given && !*given)
		return error_set(err, ERROR_USAGE, EINVAL, "option --root: expected a directory, found nothing");
	if (given)
		root = make_absolute(invocation->arena, given);
	else if (getauxval(AT_EUID) == 0)
		root = BRIG_ROOT_DEFAULT;
	else if (is_usable(runtime_dir))
		root = arena_printf(invocation->arena, "%s/brig", runtime_dir);
	else
		return take_shared_place(invocation, ret, err);
	if (!root)
		return error_system(err, errno, "find the directory of --root");
	*ret = root;
	return 0;
}

static int execute(struct invocation *invocation, struct error *err)
{
	const struct commands_globals *globals = &invocation->globals;
	struct brig brig = {
		.policy = globals->policy,
		.redact_args = globals->redact_args,
		.systemd_cgroup = globals->systemd_cgroup || globals->cgroup_manager == COMMANDS_CGROUP_SYSTEMD,
		.cgroup_disabled = globals->cgroup_manager == COMMANDS_CGROUP_DISABLED,
	};
	int r = choose_root(invocation, &brig.root, err);

	if (r < 0)
		return r;
	options_warn_ineffective(&commands_brig, globals);
	options_warn_ineffective(invocation->command, invocation->options);
	log_debug("brig %s: %s, state in %s", PACKAGE_VERSION, invocation->command->name, brig.root);
	return invocation->command->run(&brig, invocation->options, err);
}

static int run_command(struct invocation *invocation, struct error *err)
{
	const char *const *words = invocation->globals.command;
	int r;

	invocation->command = commands_get(words[0], err);
	if (!invocation->command)
		return -err->code;
	r = options_parse(invocation->command, words + 1, invocation->arena, invocation->options, err);
	if (r == OPTIONS_HELP)
		return print_help(invocation->command, err);
	if (r < 0)
		return r;
	fill_standard_streams(invocation->command);
	if (invocation->command->flags & COMMAND_PROTECTS_ITSELF) {
		r = brig_protect_executable(invocation->argv, err);
		if (r < 0)
			return r;
	} else {
		/* brig_entry() takes words of our arguments for such a command: `brig ps run`. */
		brig_release_executable();
	}
	r = open_log(invocation, err);
	return r < 0 ? r : execute(invocation, err);
}

/* Nothing but a word or two was given: the help is what the user needs, and the status is that of a failure, since nothing was
 * done. */
static int run(struct invocation *invocation, struct error *err)
{
	const char *const *words = (const char *const *)invocation->argv + 1;
	int r = options_parse(&commands_brig, words, invocation->arena, &invocation->globals, err);

	if (r == OPTIONS_HELP)
		return print_help(&commands_brig, err);
	if (r < 0)
		return r;
	if (invocation->globals.version)
		return print_version(err);
	if (invocation->globals.command)
		return run_command(invocation, err);
	r = print_help(&commands_brig, err);
	return r < 0 ? r : EXIT_OWN_ERROR;
}

/* ERROR_USAGE has a status of its own: under runc a mistake on exec's command line is 1, and a program that can't be executed
 * 255. */
static int exit_status(const struct command *command, const struct error *err)
{
	switch (err->kind) {
	case ERROR_USAGE:
		if (command && command->flags & COMMAND_USAGE_IS_FAILURE)
			break;
		return EXIT_OWN_ERROR;
	case ERROR_NONE:
	case ERROR_INTERNAL:
	case ERROR_SYSTEM:
	case ERROR_INVALID:
	case ERROR_NOT_FOUND:
	case ERROR_EXISTS:
	case ERROR_NOT_RUNNING:
	case ERROR_STATE:
	case ERROR_REFUSED:
	case ERROR_UNSUPPORTED:
	case ERROR_TIMEOUT:
	case ERROR_PROGRAM:
		break;
	}
	return command && command->failure_status ? command->failure_status : EXIT_OWN_ERROR;
}

static int report(struct invocation *invocation, const struct error *err)
{
	struct error ignored;

	/* What went wrong before the log's turn came belongs there too; where it can't be opened, stderr has to do. */
	if (!invocation->log_is_open)
		(void)open_log(invocation, &ignored);
	log_error("%s", err->message);
	return exit_status(invocation->command, err);
}

int main(int argc, char **argv)
{
	AUTO(arena_free) struct arena *arena = NULL;
	struct invocation invocation = { .argv = argv };
	struct error err = { 0 };
	int r;

	if (argc < 1)
		return EXIT_OWN_ERROR;
	take_signals();
	arena = arena_new(ARGUMENTS_LIMIT);
	invocation.arena = arena;
	r = arena ? run(&invocation, &err) : error_memory(&err);
	if (r < 0)
		r = report(&invocation, &err);
	log_close();
	return r;
}
