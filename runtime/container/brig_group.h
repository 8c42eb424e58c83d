/* The control group of a supervised container (struct brig_supervisor), held open: what a supervisor asks often or has to do at
 * once, by descriptor, without the state directory, without JSON, and without waiting. Below the container's group, which holds its
 * limits, lie the groups of its first process and of each exec: an exec's process tree can be ended by itself, and no group
 * of this layer is in the container's hands. On a host without the v2 tree execs have no group: their first process alone is
 * known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "container/brig.h"

struct brig_group;

/* process: as brig_create gave it. Returns 0 or a negative errno with err set. */
int brig_group_open(const struct brig_process *process, struct brig_group **ret, struct error *err);
/* The group that CRI calls a pod's cgroup_parent: a path, or the name of a slice, which lies in those that its name lists (a-b.slice in a.slice;
 * systemd.slice(5)). It is somebody else's: for brig_group_metrics alone. */
int brig_group_open_parent(const char *parent, struct brig_group **ret, struct error *err);
void brig_group_free(struct brig_group *group);
DEFINE_CLEANUP(struct brig_group *, brig_group_free);

/* exec_id, here and below: the processes of that exec; NULL: all of the container, its execs too. */
int brig_group_kill(struct brig_group *group, const char *exec_id, struct error *err);
/* To each process once. */
int brig_group_signal(struct brig_group *group, const char *exec_id, int signal, struct error *err);
int brig_group_processes(struct brig_group *group, const char *exec_id, struct arena *arena, struct brig_pids *ret,
			 struct error *err);
/* Is all of it frozen (paused)? */
bool brig_group_is_frozen(struct brig_group *group);
/* The exec's first process ended by itself: what it left in the background stays with the container, and its group goes. No
 * error where there is none (any more). */
int brig_group_release(struct brig_group *group, const char *exec_id, struct error *err);
/* One line for each process that is still there and in uninterruptible sleep (state D): pid, name, kernel stack; "" where none is. */
int brig_group_stuck(struct brig_group *group, struct buffer *text, struct error *err);

/* A descriptor that becomes readable when something may have happened (level-triggered, EPOLLIN | EPOLLPRI as ret_events says): then call
 * brig_group_oom_acknowledge and compare the count, then and once more a moment later: v1 tells when a kill begins, and counts it some
 * milliseconds after. The caller closes it. ERROR_UNSUPPORTED without a memory controller. */
int brig_group_oom_fd(struct brig_group *group, uint32_t *ret_events, struct error *err);
void brig_group_oom_acknowledge(int fd);
/* Processes killed for memory so far (oom_kill of memory.events). */
uint64_t brig_group_oom_count(struct brig_group *group);

struct brig_pressure_share {
	double avg10, avg60, avg300; /* per cent */
	uint64_t total;		     /* microseconds */
};
struct brig_pressure {
	bool is_known;
	struct brig_pressure_share some, full;
};
struct brig_io_entry {
	uint64_t major, minor, rbytes, wbytes, rios, wios;
};
struct brig_hugepages {
	const char *page_size; /* "2MB" */
	uint64_t current, max, failed;
};

/* Named after the files and keys of cgroup v2, whatever the host has; what nobody counts is 0, and a limit that is not set is
 * UINT64_MAX. Arrays and strings are in the arena. Source: admin-guide/cgroup-v2. */
struct brig_metrics {
	struct {
		uint64_t current, limit;
	} pids;
	struct {
		uint64_t usage_usec, user_usec, system_usec, nr_periods, nr_throttled, throttled_usec;
		struct brig_pressure psi;
	} cpu;
	struct {
		uint64_t anon, file, kernel_stack, slab, sock, shmem, file_mapped, file_dirty, file_writeback, anon_thp,
			inactive_anon, active_anon, inactive_file, active_file, unevictable, slab_reclaimable,
			slab_unreclaimable, pgfault, pgmajfault, workingset_refault, workingset_activate,
			workingset_nodereclaim, pgrefill, pgscan, pgsteal, pgactivate, pgdeactivate, pglazyfree,
			pglazyfreed, thp_fault_alloc, thp_collapse_alloc, usage, usage_limit, swap_usage, swap_limit,
			max_usage, swap_max_usage;
		struct brig_pressure psi;
	} memory;
	struct {
		uint64_t low, high, max, oom, oom_kill, oom_group_kill;
	} memory_events;
	struct brig_io_entry *io;
	size_t n_io;
	struct brig_pressure io_psi;
	struct brig_hugepages *hugepages;
	size_t n_hugepages;
};
/* What the group uses at this moment. Errors: -ENOMEM, or what reading the group's processes says; *ret is untouched then. */
int brig_group_metrics(struct brig_group *group, struct arena *arena, struct brig_metrics *ret, struct error *err);
