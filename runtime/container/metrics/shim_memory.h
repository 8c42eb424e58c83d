/* What the node's shims take of its memory, by /proc. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct shim_memory { /* of all shims together, in bytes */
	uint64_t n, resident, proportional, private_dirty;
	uint64_t n_hidden; /* shims whose memory we may not see */
};

/* A shim is a process that executes a file named containerd-shim-brig-v2, or that of a detached mount under this name, in our own process and
 * user namespace: a container can't pass for one, since it is in another. proc_fd: of /proc. A process that ends meanwhile is left out. */
int shim_memory_read(int proc_fd, struct shim_memory *ret, struct error *err);
/* The lines Rss, Pss and Private_Dirty of a smaps_rollup, in kB, added to memory (proc_pid_smaps(5)). */
void shim_memory_add(const char *text, struct shim_memory *memory);
