#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/output.h"
#include "cmd/brig/sandbox_options.h"
#include "container/learn/learn.h"

#define EXIT_OF_BRIG 125

#define AT(member) offsetof(struct sandbox_options, member)

static const struct command_option sandbox_options[] = {
	{ "timeout", 't', OPTION_STRING, 0, AT(timeout), "TIME", NULL,
	  "end it after TIME, such as 2s or 1m30s; default: 30s" },
	{ "cpu-time", 0, OPTION_STRING, 0, AT(cpu_time), "TIME", NULL,
	  "end it when its processes together have used TIME of the processor; default: no limit but --timeout" },
	{ "memory", 'm', OPTION_SIZE, OPTION_LIMITED, AT(memory), "BYTES", NULL,
	  "the most memory, files in /tmp and /work included; 64m and the like are understood; default: 512m" },
	{ "cpus", 0, OPTION_STRING, 0, AT(cpus), "N", NULL, "the most processors, such as 0.5 or 2.125; default: 1" },
	{ "pids", 0, OPTION_UNSIGNED, 0, AT(pids), "N", NULL, "the most processes and threads; default: 256" },
	{ "max-output", 0, OPTION_SIZE, OPTION_LIMITED, AT(max_output), "BYTES", NULL,
	  "end it when it has written more than that to its stdout, or to its stderr; default: 1m" },
	{ "rootfs", 0, OPTION_STRING, 0, AT(rootfs), "DIR", NULL,
	  "the directories of DIR, read-only, in place of the host's /usr and what belongs to it" },
	{ "oci", 0, OPTION_STRING, 0, AT(oci), "LAYOUT[:TAG]", NULL,
	  "an image in place of that: an OCI image layout, a directory or a tar file; without PROGRAM its own command runs" },
	{ "egress", 0, OPTION_STRING, 0, AT(egress), "LIST", NULL,
	  "where it may connect to: ADDRESS[/BITS][:PORT][/tcp|udp] with commas between, dns=10.0.2.3 for the host's resolver; takes "
	  "root, and pasta or slirp4netns; default: none" },
	{ "egress-proxy", 0, OPTION_STRING, 0, AT(egress_proxy), "LIST", NULL,
	  "whom it may ask an HTTP proxy for, which its environment names: NAME[:PORT][=ADDRESS[/BITS]] or *.NAME with commas between; "
	  "takes no root; default: there is no proxy" },
	{ "no-tcp", 0, OPTION_FLAG, 0, AT(no_tcp), NULL, NULL,
	  "refuse connections and ports by TCP on its own loopback as well, by Landlock (Linux 6.7)" },
	{ "bind-ro", 0, OPTION_LIST, 0, AT(ro_binds), "SRC[:DST]", NULL,
	  "show SRC of the host at DST, read-only; without DST at the same place; may be given several times" },
	{ "bind-rw", 0, OPTION_LIST, 0, AT(rw_binds), "SRC[:DST]", NULL, "the same, to be written to" },
	{ "file", 0, OPTION_LIST, 0, AT(files), "NAME=PATH", NULL,
	  "copy the file PATH of the host to NAME in the work directory; may be given several times" },
	{ "collect", 0, OPTION_LIST, 0, AT(collects), "NAME[=PATH]", NULL,
	  "afterwards copy NAME of the work directory, a file or directory, to PATH on the host, or without PATH into the object of "
	  "--json; may be given several times" },
	{ "stdin", 0, OPTION_STRING, 0, AT(stdin_path), "FILE", NULL,
	  "what the program reads as its standard input; -: brig's own; default: nothing" },
	{ "env", 'e', OPTION_LIST, 0, AT(env), "NAME[=VALUE]", NULL,
	  "set an environment variable, or pass our own on; may be given several times" },
	{ "cwd", 0, OPTION_STRING, 0, AT(cwd), "DIR", NULL,
	  "the working directory in the sandbox; default: /work, or for an image's own command the image's" },
	{ "name", 0, OPTION_STRING, 0, AT(name), "NAME", NULL,
	  "the sandbox's id, for other commands; default: one is made up" },
	{ "policy", 0, OPTION_STRING, 0, AT(policy), "NAME|FILE", NULL,
	  "what the site allows, as the global option of this name, in whose place it is" },
	{ "learn", 0, OPTION_STRING, 0, AT(learn), "FILE", NULL,
	  "write a seccomp profile of what it does to FILE, as brig learn does" },
	{ "json", 0, OPTION_FLAG, 0, AT(json), NULL, NULL,
	  "print one JSON object in the end: verdict, output, what was used and refused" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_REST, AT(argv), "PROGRAM [ARGUMENT...]", "the program, and all that follows for it" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig sandbox -- python3 -c 'print(6 * 7)'", "no file of yours, no network, not for longer than 30 seconds" },
	{ "brig sandbox --json --timeout 5s --memory 64m --file main.py=/tmp/submitted.py -- python3 main.py",
	  "what a playground does" },
	{ "brig sandbox --file main.c=main.c -- sh -c 'cc main.c && ./a.out'", "compile and run" },
	{ 0 },
};

static int print(const struct sandbox_options *options, const struct sandbox_result *result, struct error *err)
{
	/* What goes into it has caps of its own (--max-output, --collect). */
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { .limit = SIZE_MAX / 4 };

	if (!options->json) {
		if (result->error.kind != ERROR_NONE)
			log_error("%s", result->error.message);
		for (size_t i = 0; i < result->n_files; i++) {
			if (result->files[i].error)
				log_warning("option --collect: %s: %s", result->files[i].name, result->files[i].error);
		}
		return 0;
	}
	sandbox_json_write(result, &text);
	return output_write(&text, err);
}

/* Before anything runs: what it calls would be lost afterwards. */
static int check_place(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat status;
	int code = 0;

	if (!directory)
		return error_memory(err);
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		code = EISDIR;
	else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		code = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? errno : 0;
	else if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
		code = errno;
	return code ? error_system(err, code, "option --learn: write %s", path) : 0;
}

static int write_profile(const char *path, const struct learn *learn, struct error *err)
{
	struct buffer profile __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	const struct learn_how how = { 0 };
	int rc;

	if (learn_total(learn) == 0)
		return error_set(err, ERROR_INTERNAL, ENODATA, "--learn: no system call was recorded");
	rc = learn_write_profile(learn, &how, &profile, err);
	if (rc >= 0)
		rc = file_replace(path, &profile, 0644, err);
	return rc < 0 ? error_prefix(err, "--learn") : 0;
}

static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct sandbox_options *options = data;
	AUTO(arena_free) struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
	AUTO(learn_free) struct learn *learn = options->learn ? learn_new() : NULL;
	struct sandbox_request request = { 0 };
	struct sandbox_result result;
	struct brig own = *brig;
	int rc, status;

	if (!arena || (options->learn && !learn))
		return error_memory(err);
	rc = sandbox_options_request(options, arena, &request, err);
	if (rc >= 0 && options->learn)
		rc = check_place(options->learn, err);
	if (rc < 0)
		return rc;
	request.learn = learn;
	if (options->policy)
		own.policy = options->policy;
	sandbox_run(&own, &request, &result);
	rc = print(options, &result, err);
	status = result.exit_status;
	if (rc >= 0 && learn && result.verdict != SANDBOX_REFUSED && result.verdict != SANDBOX_INTERNAL)
		rc = write_profile(options->learn, learn, err);
	sandbox_result_done(&result);
	return rc < 0 ? rc : status;
}

const struct command cmd_sandbox = {
	.name = "sandbox",
	.summary = "run a program that nobody vouches for, once",
	.description =
		"Runs PROGRAM with the host's /usr read-only, an empty /tmp and /work, no network and no way to any other file or "
		"process of the host; neither image, bundle, daemon nor configuration is needed. Its processes all end with it, and "
		"nothing of it is left.\n\n"
		"The exit status is the program's, 128 and the signal's number where a signal ended it, 124 where it was "
		"ended for --timeout or --cpu-time, 137 for --memory or --max-output, 125 where the policy refused it or brig failed, 126 where "
		"PROGRAM can't be executed, and 127 where there is none. `--json` tells these apart from the program's own.",
	.group = COMMAND_RUNS,
	.flags = COMMAND_PROTECTS_ITSELF | COMMAND_USAGE_IS_FAILURE | COMMAND_RELAYS_OUTPUT,
	.failure_status = EXIT_OF_BRIG,
	.options_size = COMMAND_OPTIONS_SIZE(struct sandbox_options),
	.defaults = &sandbox_options_defaults,
	.options = sandbox_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
