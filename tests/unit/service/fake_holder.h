/* holder.h without processes, and what else a pod takes of the host. Linked in place of the shim's own. */
#pragma once

#include <stdbool.h>

#include "shim/process/holder.h"

struct fake_holder {
	bool is_there;
	unsigned n_started;
	struct error failure; /* kind set: what holder_start ends with */
	unsigned namespaces;
	char network_path[128], hostname[128], sysctls[256]; /* "a=b c=d " */
	bool with_network_owner;
	void (*ended)(void *context);
	void *context;
	bool has_files; /* sandbox_files.h without mounts: one bind, of BUNDLE/hosts */
	struct error files_failure;
};

extern struct fake_holder fake_holder;
