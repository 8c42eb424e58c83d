#include "cmd/brig/commands.h"

#include <errno.h>
#include <string.h>

#include "cmd/brig/suggest.h"

#define AT(member) offsetof(struct commands_globals, member)

static const struct command_option options[] = {
	{ "root", 0, OPTION_STRING, 0, AT(root), "DIR", NULL,
	  "where the state of containers is kept; default: /run/brig; for an ordinary user $XDG_RUNTIME_DIR/brig, or "
	  "/tmp/brig-UID where there is none" },
	{ "policy", 0, OPTION_STRING, 0, AT(policy), "NAME|FILE", NULL,
	  "what the site allows: the name of a built-in set (strict, baseline, conformant), or the path of a policy file, which has a slash in it; "
	  "default: /etc/brig/policy.json, or strict where that is missing" },
	{ "log", 0, OPTION_STRING, 0, AT(log), "FILE", NULL,
	  "append messages to FILE; errors are printed on the standard error as well" },
	{ "log-format", 0, OPTION_ENUM, 0, AT(log_format), "text|json", NULL, "how the log's lines are written" },
	{ "log-level", 0, OPTION_ENUM, 0, AT(log_level), "error|warning|info|debug",
	  "warning|error|info|debug|warn|trace|fatal|panic|off",
	  "the least important messages to write; default: warning" },
	{ "debug", 0, OPTION_FLAG, 0, AT(debug), NULL, NULL,
	  "log every step with its time; the same as --log-level=debug" },
	{ "redact-args", 0, OPTION_FLAG, 0, AT(redact_args), NULL, NULL,
	  "show and record how many arguments a program has in place of what they are; of a container that is made so "
	  "all later records as well. Values of environment variables are never shown" },
	{ "systemd-cgroup", 0, OPTION_FLAG, 0, AT(systemd_cgroup), NULL, NULL,
	  "let systemd make the cgroups; linux.cgroupsPath is then SLICE:PREFIX:NAME" },
	{ "cgroup-manager", 0, OPTION_ENUM, 0, AT(cgroup_manager), "fs|systemd|disabled",
	  "fs|cgroupfs|systemd|disabled", "who makes the cgroups; disabled: nobody, the container stays in brig's own" },
	{ "rootless", 0, OPTION_ENUM, 0, AT(rootless), "auto|true|false", NULL,
	  "accepted for other runtimes' callers: brig finds out by itself what it may do" },
	{ "criu", 0, OPTION_STRING, OPTION_HIDDEN | OPTION_WITHOUT_EFFECT, AT(criu), "FILE", NULL,
	  "checkpoint and restore run root's own criu, of /usr/local or /usr" },
	{ "version", 'v', OPTION_FLAG, 0, AT(version), NULL, NULL, "print the version and end" },
	{ 0 },
};

static const struct command_positional positionals[] = {
	{ POSITIONAL_REST, AT(command), "COMMAND [ARGUMENT...]", "what to do" },
	{ 0 },
};

static const struct command_example examples[] = {
	{ "mkdir -p box/rootfs && cp -a /path/to/a/root/file/system/. box/rootfs && cd box", "a bundle's directory" },
	{ "brig spec", "write a config.json that is safe as it stands" },
	{ "brig plan", "see what brig would do with it, without doing it; needs no privileges" },
	{ "brig run box1", "run its program in the foreground; the exit status is the program's" },
	{ 0 },
};

const struct command commands_brig = {
	.name = "brig",
	.summary = "run programs that nobody vouches for in containers",
	.description = "brig is an OCI runtime: it takes a bundle, which is a directory with a root file system and a "
		       "config.json, and runs the program named there in a container. People use it through containerd, "
		       "CRI-O, podman or docker in place of runc or crun, or straight from the command line.\n\n"
		       "Global options come before the command, the command's own after it.",
	.options_size = COMMAND_OPTIONS_SIZE(struct commands_globals),
	.options = options,
	.positionals = positionals,
	.examples = examples,
};

const struct command *const commands_list[] = {
	&cmd_sandbox,	 &cmd_run,     &cmd_create, &cmd_start,	  &cmd_exec,	   &cmd_state,
	&cmd_list,	 &cmd_ps,      &cmd_events, &cmd_audit,	  &cmd_apparmor,   &cmd_metrics,
	&cmd_kill,	 &cmd_pause,   &cmd_resume, &cmd_update,  &cmd_delete,	   &cmd_spec,
	&cmd_plan,	 &cmd_check,   &cmd_doctor, &cmd_explain, &cmd_learn,	   &cmd_features,
	&cmd_checkpoint, &cmd_restore, &cmd_help,   &cmd_man,	  &cmd_completion, NULL,
};

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; commands_list[i]; i++)
		if (!strcmp(commands_list[i]->name, name))
			return commands_list[i];
	return NULL;
}

const struct command *commands_get(const char *name, struct error *err)
{
	const struct command *command = commands_find(name);
	struct suggest suggest = { .typed = name };

	if (command)
		return command;
	for (size_t i = 0; commands_list[i]; i++)
		if (commands_list[i]->group != COMMAND_HIDDEN)
			suggest_offer(&suggest, commands_list[i]->name);
	error_set(err, ERROR_USAGE, EINVAL, "unknown command \"%.100s\"%s%s%s; \"brig --help\" lists the commands",
		  name, suggest.best ? " (did you mean \"" : "", suggest.best ?: "", suggest.best ? "\"?)" : "");
	return NULL;
}

enum log_level commands_log_level(const struct commands_globals *globals)
{
	/* By the order of the option's choices. */
	static const enum log_level levels[] = {
		LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVEL_INFO,  LOG_LEVEL_DEBUG, LOG_LEVEL_WARNING,
		LOG_LEVEL_DEBUG,   LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR,
	};

	return globals->debug ? LOG_LEVEL_DEBUG : levels[globals->log_level];
}
