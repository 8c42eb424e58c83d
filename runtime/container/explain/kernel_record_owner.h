/* Whose a record of the kernel's is: told by the host's user ids, where the container has a range of its own; else by the processes that are in
 * its control group now. */
#pragma once

#include "base/arena.h"
#include "container/explain/kernel_record.h"
#include "container/store.h"

struct kernel_record_process {
	uint32_t pid;
	uint64_t started; /* milliseconds since 1970 */
};

struct kernel_record_owner {
	uint32_t ids_first, ids_size; /* size 0: by processes */
	const struct kernel_record_process *processes;
	size_t n_processes;
};

/* processes: in arena. What can't be found out is left out. */
struct kernel_record_owner kernel_record_owner_find(const struct state *state, struct arena *arena);
/* A process that is there has had its number since it was started: what is recorded of that number since then is its own. Pure. */
bool kernel_record_owner_has(const struct kernel_record_owner *owner, const struct kernel_record *record);
