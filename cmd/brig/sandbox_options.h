/* From the command line of `brig sandbox` to its request. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "cmd/brig/command.h"
#include "sandbox/sandbox.h"

struct sandbox_options {
	const char *const *argv;
	const char *timeout, *cpu_time;
	struct option_number memory, max_output;
	unsigned pids;
	const char *cpus;
	const char *rootfs, *oci, *learn, *egress, *egress_proxy, *stdin_path, *cwd, *name, *policy;
	struct option_list ro_binds, rw_binds, files, collects, env;
	bool json, no_tcp;
};

extern const struct sandbox_options sandbox_options_defaults;
/* The lists live in arena. ERROR_USAGE, with the option's name. */
int sandbox_options_request(const struct sandbox_options *options, struct arena *arena, struct sandbox_request *ret,
			    struct error *err);
