#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/quantity.h"
#include "cmd/brig/commands.h"
#include "cmd/brig/container_argument.h"

#define GIDS_MAX 65536 /* NGROUPS_MAX of the kernel */

struct exec_options {
	struct brig_exec request;
	const char *const *argv;
	struct option_list env, capabilities, gids, cgroups;
	enum option_switch tty, no_new_privileges;
};

#define AT(member) offsetof(struct exec_options, member)
#define AT_REQUEST(member) offsetof(struct exec_options, request.member)

static const struct command_option exec_options[] = {
	{ "process", 'p', OPTION_STRING, 0, AT_REQUEST(process_file), "FILE", NULL,
	  "take all of the process from FILE, an OCI process object as JSON, in place of COMMAND and these options" },
	{ "cwd", 0, OPTION_STRING, 0, AT_REQUEST(cwd), "DIR", NULL, "the working directory, in the container" },
	{ "env", 'e', OPTION_LIST, 0, AT(env), "NAME=VALUE", NULL,
	  "set an environment variable; may be given several times" },
	{ "tty", 't', OPTION_SWITCH, 0, AT(tty), NULL, NULL, "give it a terminal" },
	{ "user", 'u', OPTION_STRING, 0, AT_REQUEST(user), "UID[:GID]", NULL, "run as this user of the container" },
	{ "additional-gids", 'g', OPTION_LIST, 0, AT(gids), "GID", NULL,
	  "a further group; may be given several times, or as a list with commas" },
	{ "cap", 'c', OPTION_LIST, 0, AT(capabilities), "CAPABILITY", NULL,
	  "add a capability such as CAP_NET_RAW; may be given several times" },
	{ "no-new-privs", 0, OPTION_SWITCH, 0, AT(no_new_privileges), NULL, NULL,
	  "keep set-user-id programs from gaining privileges" },
	{ "apparmor", 0, OPTION_STRING, 0, AT_REQUEST(apparmor), "PROFILE", NULL, "the AppArmor profile" },
	{ "process-label", 0, OPTION_STRING, 0, AT_REQUEST(process_label), "LABEL", NULL, "the SELinux label" },
	{ "cgroup", 0, OPTION_LIST, 0, AT(cgroups), "PATH", NULL,
	  "run in this cgroup, which exists already, below the container's own" },
	{ "detach", 'd', OPTION_FLAG, 0, AT_REQUEST(detach), NULL, NULL, "return as soon as the program runs" },
	{ "pid-file", 0, OPTION_STRING, 0, AT_REQUEST(pid_file), "FILE", NULL,
	  "write the process id of the program to FILE" },
	{ "console-socket", 0, OPTION_STRING, 0, AT_REQUEST(console_socket), "SOCKET", NULL,
	  "a UNIX socket to send the terminal's descriptor to" },
	{ "pidfd-socket", 0, OPTION_STRING, 0, AT_REQUEST(pidfd_socket), "SOCKET", NULL,
	  "a UNIX socket to send a pidfd of the program to" },
	{ "preserve-fds", 0, OPTION_UNSIGNED, 0, AT_REQUEST(preserve_fds), "N", NULL,
	  "pass the N descriptors from 3 on to the program, with those of LISTEN_FDS" },
	{ "ignore-paused", 0, OPTION_FLAG, 0, AT_REQUEST(ignore_paused), NULL, NULL,
	  "also in a paused container: the program then waits for resume" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	CONTAINER_ARGUMENT(struct exec_options, request.id),
	{ POSITIONAL_REST, AT(argv), "COMMAND [ARGUMENT...]", "the program, and all that follows for it" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "brig exec -t box1 sh", "a shell in the container" },
	{ "brig exec --user 1000:1000 --env LANG=C box1 id", "as another user" },
	{ 0 },
};

static int parse_gid(const char *text, size_t length, uint32_t *ret, struct error *err)
{
	const char *end = text;
	uint64_t value;

	/* UINT32_MAX is (gid_t)-1, which the kernel takes for "no group". */
	if (quantity_digits(&end, &value) < 0 || end != text + length || value >= UINT32_MAX)
		return error_set(err, ERROR_USAGE, EINVAL,
				 "option --additional-gids: \"%.*s\" is no group: expected a number below %u",
				 (int)(length < 100 ? length : 100), text, UINT32_MAX);
	*ret = (uint32_t)value;
	return 0;
}

/* "10,20" and repeated options alike */
static int collect_gids(const struct option_list *list, struct arena *arena, struct brig_exec *request, struct error *err)
{
	uint32_t *gids;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < list->n_items; i++)
		for (const char *c = list->items[i]; *c; c++)
			n += *c == ',';
	n += list->n_items;
	if (n > GIDS_MAX)
		return error_set(err, ERROR_USAGE, EINVAL, "option --additional-gids: %zu groups, %d are the most", n,
				 GIDS_MAX);
	gids = arena_array_of(arena, n, uint32_t);
	if (!gids)
		return error_memory(err);
	n = 0;
	for (size_t i = 0; i < list->n_items; i++) {
		const char *item = list->items[i];

		for (;; item++) {
			size_t length = strcspn(item, ",");

			r = parse_gid(item, length, &gids[n++], err);
			if (r < 0)
				return r;
			item += length;
			if (!*item)
				break;
		}
	}
	request->additional_gids = gids;
	request->n_additional_gids = n;
	return 0;
}

static int refuse(struct error *err, const char *text)
{
	return error_set(err, ERROR_USAGE, EINVAL, "%s; see \"brig exec --help\"", text);
}

/* What would be found out later, said before anything is opened: with this command's words, and with the status of a mistake in
 * its use. */
static int check(const struct exec_options *options, struct error *err)
{
	if (!options->request.process_file && !options->argv)
		return refuse(err, "COMMAND is missing: the program to execute, or --process FILE");
	if (options->request.process_file && options->argv)
		return refuse(err, "--process FILE names the program already, so COMMAND has no place");
	if (options->cgroups.n_items > 1)
		return refuse(err, "option --cgroup: one path is enough, it is used for all controllers");
	for (size_t i = 0; i < options->env.n_items; i++)
		if (!strchr(options->env.items[i], '=') || options->env.items[i][0] == '=')
			return error_set(err, ERROR_USAGE, EINVAL,
					 "option --env: expected NAME=VALUE, found \"%.200s\"", options->env.items[i]);
	return 0;
}

/* What was not given is told apart from what was given as "no": config.json's own word stands for the first alone. */
static int run(const struct brig *brig, const void *data, struct error *err)
{
	const struct exec_options *options = data;
	struct brig_exec request = options->request;
	AUTO(arena_free) struct arena *arena = arena_new((size_t)1024 * 1024);
	int status = 0, r;

	if (!arena)
		return error_memory(err);
	r = check(options, err);
	if (r == 0)
		r = collect_gids(&options->gids, arena, &request, err);
	if (r < 0)
		return r;
	request.argv = options->argv;
	request.env = options->env.items;
	request.capabilities = options->capabilities.items;
	request.cgroup = options->cgroups.n_items ? options->cgroups.items[0] : NULL;
	request.set_tty = options->tty != OPTION_SWITCH_UNSET;
	request.tty = options->tty == OPTION_SWITCH_ON;
	request.set_no_new_privileges = options->no_new_privileges != OPTION_SWITCH_UNSET;
	request.no_new_privileges = options->no_new_privileges == OPTION_SWITCH_ON;
	r = brig_exec(brig, &request, &status, err);
	return r < 0 ? r : status;
}

const struct command cmd_exec = {
	.name = "exec",
	.summary = "run one more program in a running container",
	.description =
		"Without options the program gets the user, environment, working directory and restrictions of the "
		"container's own one. Options end at COMMAND: all that follows belongs to it.\n\n"
		"What the object of --process says nothing of is the container's too, where it holds the program: "
		"capabilities, rlimits, umask, oomScoreAdj, scheduler, ioPriority, and the profiles of AppArmor and "
		"SELinux.\n\n"
		"The exit status is the program's, 128 and the signal's number where a signal ended it, 255 "
		"where it could not be executed, and 1 where the command line makes no sense.",
	.group = COMMAND_RUNS,
	.flags = COMMAND_PROTECTS_ITSELF,
	.failure_status = 255,
	.options_size = COMMAND_OPTIONS_SIZE(struct exec_options),
	.options = exec_options,
	.positionals = positionals,
	.examples = examples,
	.run = run,
};
