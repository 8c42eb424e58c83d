/* What a handler of containerd's configuration says to its shim: the TOML of the handler's `options` table, or runc's own
 * options where the caller takes us for runc (docker does). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "shim/bootstrap/bootstrap.h"

enum options_cgroup_driver { OPTIONS_CGROUPFS, OPTIONS_SYSTEMD };

struct options { /* strings live in the arena; NULL where nothing was said */
	const char *policy;
	const char *root;	 /* state directory, absolute */
	const char *shim_cgroup; /* the cgroup that the shim itself goes into, from the root of the hierarchy */
	const char *config_path; /* absolute: the caller reads that file (TOML_BYTES_MAX) and calls options_from_toml */
	enum options_cgroup_driver cgroup_driver;
	enum log_level log_level; /* LOG_LEVEL_INFO where has_log_level is false */
	bool has_log_level;
	bool no_pivot, no_new_keyring, redact_args;
	unsigned version; /* of the task service that a legacy caller of `start` gets: 2, 3, or 0: not said */
};

/* What holds without any: control groups by file, the log at info, the site's policy, the default root. */
struct options options_default(void);
/* any: runtimeoptions.v1.Options or containerd.runc.v1.Options, or nothing (without type_url). Returns 0, or a negative errno
 * with err set: `options: line 3: unknown key "polcy"; there are ...`; ret is untouched then. */
int options_from_any(const struct bootstrap_any *any, struct arena *arena, struct options *ret, struct error *err);
/* A handler's options table: policy, cgroup_driver ("cgroupfs", "systemd") or SystemdCgroup (bool, as runc's handlers have it),
 * root, log_level ("error", "warning", "info", "debug"), shim_cgroup, no_pivot, redact_args, version (2, 3). TypeUrl and ConfigPath, which
 * containerd takes for itself, may be there. */
int options_from_toml(const char *text, size_t length, struct arena *arena, struct options *ret, struct error *err);
