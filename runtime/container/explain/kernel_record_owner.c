#include "container/explain/kernel_record_owner.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "container/state.h"
#include "parent/cgroup/cgroup.h"

#define FIRST_PID_NAMESPACE 0xeffffffcu /* PROC_PID_INIT_INO: its inode on each machine */

static uint64_t milliseconds(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The kernel counts from its own start, and clocks are set. */
static uint64_t since_1970(uint64_t ticks)
{
	return milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME) +
	       ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Elsewhere the numbers that we see are not those that the kernel records. */
static bool is_in_first_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PID_NAMESPACE;
}

static void find_processes(const struct state *state, struct arena *arena, struct kernel_record_owner *ret)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct kernel_record_process *processes;
	struct error err = { 0 };
	pid_t *pids = NULL;
	size_t n = 0;

	if (!state->cgroup_path || !is_in_first_pid_namespace() ||
	    cgroup_open(state->cgroup_manager, state->cgroup_path, &cgroup, &err) < 0 ||
	    cgroup_pids(cgroup, arena, &pids, &n, &err) < 0)
		return;
	processes = arena_array_of(arena, n, struct kernel_record_process);
	for (size_t i = 0; processes && i < n; i++) {
		uint64_t ticks = state_process_start_time(pids[i]);

		if (ticks > 0)
			processes[ret->n_processes++] =
				(struct kernel_record_process){ (uint32_t)pids[i], since_1970(ticks) };
	}
	ret->processes = processes;
}

struct kernel_record_owner kernel_record_owner_find(const struct state *state, struct arena *arena)
{
	struct kernel_record_owner owner = { .ids_first = state->ids_first, .ids_size = state->ids_size };

	if (owner.ids_size == 0)
		find_processes(state, arena, &owner);
	return owner;
}

bool kernel_record_owner_has(const struct kernel_record_owner *owner, const struct kernel_record *record)
{
	if (owner->ids_size > 0)
		return record->uid >= owner->ids_first && record->uid - owner->ids_first < owner->ids_size;
	for (size_t i = 0; i < owner->n_processes; i++) {
		if (owner->processes[i].pid == record->pid)
			return record->milliseconds >= owner->processes[i].started;
	}
	return false;
}
