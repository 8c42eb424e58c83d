/* What the containers of a pod without a pause container share: /etc/hostname, /etc/hosts, /etc/resolv.conf and /dev/shm. containerd
 * leaves them to the shim where that holds the pod. They lie in the pod's bundle. Internal to the service. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "container/brig.h"
#include "shim/service/sandbox_config.h"

#define SANDBOX_FILES_MAX 4

struct sandbox_files { /* zeroed: there are none */
	struct brig_bind binds[SANDBOX_FILES_MAX];
	size_t n;
	const char *shared_memory; /* where a tmpfs was mounted for it, or NULL */
};

/* bundle: absolute; strings go into arena. Returns 0, or a negative errno with err set; nothing is mounted then. */
int sandbox_files_make(const char *bundle, const struct sandbox_config *config, struct arena *arena,
		       struct sandbox_files *ret, struct error *err);
/* Unmounts what is shared; the files go with the bundle. Containers that still run keep what they have. */
void sandbox_files_remove(struct sandbox_files *files);
