#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"
#include "container/learn/learn.h"
#include "container/learn/learn_bundle.h"
#include "container/learn/learn_trace.h"

#define AT(member) offsetof(struct learn_options, member)

/* brig's own failure, beside the program's exit status; as env(1) and docker have it. */
#define STATUS_OWN_FAILURE 125
#define STATUS_DIFFERS 1
#define BINDS_MAX 64

struct learn_options {
	const char *bundle, *id, *output, *merge, *diff;
	struct option_list binds, env;
	uint64_t duration; /* milliseconds */
	bool beyond_floor;
	const char *const *command;
};

static const struct command_option learn_options[] = {
	{ "bundle", 'b', OPTION_STRING, 0, AT(bundle), "DIR", NULL,
	  "run the container of this bundle, in place of COMMAND" },
	{ "id", 0, OPTION_STRING, 0, AT(id), "ID", NULL,
	  "a name for the container, for exec and kill meanwhile; default: learn-PID" },
	{ "output", 'o', OPTION_STRING, 0, AT(output), "FILE", NULL,
	  "write the profile to FILE; default: standard output" },
	{ "merge", 'm', OPTION_STRING, 0, AT(merge), "PROFILE", NULL,
	  "begin with the rules of a profile that is there: what an earlier run needed stays allowed" },
	{ "diff", 0, OPTION_STRING, 0, AT(diff), "PROFILE", NULL,
	  "print what the profile would add to (+) and take from (-) one that is there; exit status 0: nothing, 1: something" },
	{ "beyond-floor", 0, OPTION_FLAG, 0, AT(beyond_floor), NULL, NULL,
	  "put calls that were refused into the profile as well, for a runtime without brig's floor" },
	{ "bind", 0, OPTION_LIST, 0, AT(binds), "DIR", NULL,
	  "with COMMAND: a directory that it can read, at the same path; the first one is where it starts" },
	{ "duration", 0, OPTION_DURATION, 0, AT(duration), "TIME", NULL,
	  "with the ID of a container that runs: how long to listen; default: until it ends, or a signal" },
	{ "env", 'e', OPTION_LIST, 0, AT(env), "NAME=VALUE", NULL, "with COMMAND: a variable of its environment" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_REST, AT(command), "COMMAND [ARGUMENT...] | ID",
	  "a program of this machine's, run in a throw-away container; or, as the only word, a container that runs" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig learn -o python.json -- python3 -c 'print(1)'", "what a program of this machine needs" },
	{ "brig learn --bind \"$PWD\" -m python.json -o python.json -- python3 tests.py",
	  "and what another run needs beside that" },
	{ "brig learn --duration 10m -m web.json -o web.json web-1", "what a container that runs does from now on" },
	{ "brig learn --bundle /srv/box --diff box.json", "does a container still do what it did?" },
	{ 0 },
};

/* Directories as the host knows them. */
struct binds {
	char *list[BINDS_MAX + 1];
	size_t n;
};

static void binds_done(struct binds *binds)
{
	for (size_t i = 0; i < binds->n; i++)
		free(binds->list[i]);
}

/* Absolute: a relative source in the config.json that is made of them would count from the bundle. */
static int find_binds(const struct learn_options *options, struct binds *ret, struct error *err)
{
	for (size_t i = 0; i < options->binds.n_items; i++) {
		if (ret->n == BINDS_MAX)
			return error_set(err, ERROR_USAGE, E2BIG, "more than %d of --bind", BINDS_MAX);
		ret->list[ret->n] = realpath(options->binds.items[i], NULL);
		if (!ret->list[ret->n])
			return error_system(err, errno, "--bind %s", options->binds.items[i]);
		ret->n++;
	}
	return 0;
}

static void warn_of_refused(const struct learn *learn, bool beyond_floor)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer names = { 0 };
	size_t n = learn_refused(learn, &names);

	if (n == 0 || names.failed)
		return;
	fprintf(stderr, "brig learn: %zu system call%s refused while it ran; %s: %s\n", n, n == 1 ? " was" : "s were",
		beyond_floor ? "the profile allows what brig's floor does not" : "the profile leaves out", names.data);
}

/* The program may have another idea of where we are: its exit status comes first, but for --diff. */
static int hand_out(const struct learn_options *options, const struct learn *learn, int status, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer profile = { 0 }, differences = { 0 };
	const struct learn_how how = { .merge = options->merge, .beyond_floor = options->beyond_floor };
	bool differs = false;
	int r;

	if (learn_total(learn) == 0)
		return error_set(err, ERROR_INTERNAL, ENODATA, "no system call was recorded");
	r = learn_write_profile(learn, &how, &profile, err);
	if (r < 0)
		return r;
	warn_of_refused(learn, options->beyond_floor);
	if (options->output)
		r = file_replace(options->output, &profile, 0644, err);
	if (r >= 0 && options->diff)
		r = learn_diff(options->diff, &profile, &differences, &differs, err);
	if (r >= 0 && (options->diff || !options->output))
		r = output_write(options->diff ? &differences : &profile, err);
	if (r < 0)
		return r;
	return options->diff ? (differs ? STATUS_DIFFERS : 0) : status;
}

static int run_and_record(const struct brig *brig, const struct learn_options *options, const char *bundle,
			  struct error *err)
{
	AUTO(learn_free) struct learn *learn = learn_new();
	char id[32];
	const struct brig_create request = { .id = options->id ? options->id : id, .bundle = bundle, .learn = learn };
	int status = 0, r;

	if (!learn)
		return error_memory(err);
	snprintf(id, sizeof(id), "learn-%d", (int)getpid());
	r = brig_run(brig, &request, &status, err);
	if (r < 0)
		return r;
	if (status != 0 && !options->diff)
		fprintf(stderr,
			"brig learn: the program ended with status %d; the profile is of what it did until then\n",
			status);
	return hand_out(options, learn, status, err);
}

static int run_command(const struct brig *brig, const struct learn_options *options, struct error *err)
{
	__attribute__((cleanup(binds_done))) struct binds binds = { 0 };
	struct learn_bundle bundle = { .argv = options->command, .env = (const char *const *)options->env.items };
	struct learn_place place;
	int r = find_binds(options, &binds, err);

	if (r < 0)
		return r;
	bundle.binds = (const char *const *)binds.list;
	bundle.cwd = binds.n > 0 ? binds.list[0] : NULL;
	r = learn_bundle_make(&bundle, &place, err);
	if (r < 0)
		return r;
	r = run_and_record(brig, options, place.path, err);
	learn_bundle_remove(&place);
	return r;
}

/* One word without a slash may be both: a container of that name comes first, and a program can be given with its path. */
static bool is_container(const struct brig *brig, const char *const *command)
{
	AUTO(arena_free) struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
	struct brig_info info;
	struct error ignored;

	return arena && !command[1] && !strchr(command[0], '/') &&
	       brig_state(brig, command[0], arena, &info, &ignored) >= 0;
}

static int listen_to(const struct brig *brig, const struct learn_options *options, struct error *err)
{
	AUTO(learn_free) struct learn *learn = learn_new();
	const char *id = options->command[0];
	int r = learn ? 0 : error_memory(err);

	if (options->binds.n_items || options->env.n_items || options->id)
		return error_set(
			err, ERROR_USAGE, EINVAL,
			"--bind, --env and --id are for a command, and %s is a container (a program of that name: by its path)",
			id);
	if (r >= 0)
		r = learn_trace(learn, brig, id, options->duration, err);
	if (r < 0)
		return r;
	fprintf(stderr,
		"brig learn: what container %s called before, its start above all, is not in the profile: --merge one that has it\n",
		id);
	return hand_out(options, learn, 0, err);
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct learn_options *options = data;

	if ((options->bundle != NULL) == (options->command != NULL))
		return error_set(err, ERROR_USAGE, EINVAL, "either a command or --bundle is needed");
	if (options->bundle && (options->binds.n_items || options->env.n_items))
		return error_set(err, ERROR_USAGE, EINVAL, "--bind and --env are for a command: a bundle has its own");
	if (options->command && is_container(brig, options->command))
		return listen_to(brig, options, err);
	if (options->duration)
		return error_set(err, ERROR_USAGE, EINVAL, "--duration is for a container that runs");
	return options->bundle ? run_and_record(brig, options, options->bundle, err) : run_command(brig, options, err);
}

const struct command cmd_learn = {
	.name = "learn",
	.summary = "run a program, and write the smallest system call profile that it needs",
	.description =
		"Runs a container in the foreground with each of its system calls recorded, those of all its processes, and writes a "
		"seccomp profile as OCI's linux.seccomp has it: what was called is allowed, by its arguments where those are "
		"what matters (socket, clone, ioctl, prctl), and all else fails with EPERM. The profile works as it stands, for "
		"brig, other runtimes, engines and the kubelet. The policy and the floor hold meanwhile: what they refuse is refused, "
		"is not in the profile, and is listed.\n\n"
		"A profile knows what happened: let the program do all that it ever has to, in several runs where needed (--merge). "
		"A COMMAND runs in a throw-away container over this machine's /usr, read-only, without network. Of a container that "
		"runs already the calls from now on are listened to by the kernel's tracer (tracefs, for root), which sees those "
		"that get past its filter.\n\n"
		"Exit status: the program's; with --diff 0 where the profiles say the same and 1 where they don't; 125 where "
		"brig failed, 1 where the command line makes no sense.",
	.group = COMMAND_PREPARES,
	.flags = COMMAND_PROTECTS_ITSELF,
	.failure_status = STATUS_OWN_FAILURE,
	.options_size = COMMAND_OPTIONS_SIZE(struct learn_options),
	.options = learn_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
