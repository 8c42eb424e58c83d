/* The list of brig's commands, and the options that come before a command. */
#pragma once

#include "base/log.h"
#include "cmd/brig/command.h"

enum { COMMANDS_ROOTLESS_AUTO, COMMANDS_ROOTLESS_TRUE, COMMANDS_ROOTLESS_FALSE };
enum { COMMANDS_CGROUP_FS, COMMANDS_CGROUP_FS_TOO, COMMANDS_CGROUP_SYSTEMD, COMMANDS_CGROUP_DISABLED };

struct commands_globals {
	const char *root, *log, *policy, *criu;
	bool debug, redact_args, systemd_cgroup, version;
	int log_format, log_level, rootless, cgroup_manager;
	const char *const *command; /* the command's name and all that follows it; NULL: there is none */
};

/* brig itself: the global options, and the command as its only argument. */
extern const struct command commands_brig;
/* All commands, the hidden ones last; NULL-terminated. */
extern const struct command *const commands_list[];

/* NULL: there is none of that name. */
const struct command *commands_find(const char *name);
/* As commands_find, with an error that names the nearest one. */
const struct command *commands_get(const char *name, struct error *err);
/* What --log-level and --debug ask for. */
enum log_level commands_log_level(const struct commands_globals *globals);
/* With what brig doctor ends: scripts go by it. */
int cmd_doctor_status(enum brig_health health);

extern const struct command cmd_create, cmd_run, cmd_start, cmd_exec, cmd_state, cmd_list, cmd_ps, cmd_events,
	cmd_apparmor, cmd_audit, cmd_metrics, cmd_kill, cmd_pause, cmd_resume, cmd_update, cmd_delete, cmd_spec,
	cmd_plan, cmd_features, cmd_check, cmd_doctor, cmd_explain, cmd_sandbox, cmd_checkpoint, cmd_restore, cmd_learn,
	cmd_help, cmd_man, cmd_completion;
