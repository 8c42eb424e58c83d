/* Control groups: one group per container, with its limits set and read back before any program runs in it.
 *
 * A host's layout decides who does what. v2: one tree for everything. v1: one tree per controller. Hybrid: the v2 tree
 * (which has no controllers there) holds membership, kill, freeze and the device program, and only those v1
 * controllers are touched that a limit of the plan needs, or cgroup_account. Every function works on an opened group, by descriptor.
 *
 * With the manager "disabled" a group has no directory: create, join, delegate and destroy do nothing, the questions
 * (pids, statistics) have empty answers, and what can't be done without a group (update, freeze, kill, signal) fails
 * with ERROR_UNSUPPORTED. Sources: cgroups(7), the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/, OCI config-linux.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "plan/plan.h"

struct cgroup;

/* How this host (as seen in this mount namespace) has its cgroups mounted at /sys/fs/cgroup. One or two statfs(2). */
enum host_cgroup_layout cgroup_layout(void);
/* May the caller make a group at the top of the tree that every container has a group in? */
bool cgroup_layout_is_open(enum host_cgroup_layout layout);

/* ---- life ---- */

/* Makes the group, turns on the controllers that plan->resources needs, sets each limit and reads it back; no process is
 * in it yet. An existing group is taken over if nothing runs in it or below it. On failure everything that was made is
 * removed again.
 * Errors: ERROR_INVALID (path, values), ERROR_EXISTS (processes in it), ERROR_STATE (frozen), ERROR_UNSUPPORTED (a limit that this host can't
 * enforce; the message names its path in config.json), ERROR_SYSTEM (EACCES, EPERM, EROFS: no right to make groups). */
int cgroup_create(const struct plan_cgroup *plan, struct cgroup **ret, struct error *err);
/* The same in two parts: the group, whose controllers are on, for a process that waits before it does anything that is not ours;
 * and its limits and device rules, once. Errors: as cgroup_create's; after a failure of cgroup_limit() the group is there still:
 * cgroup_destroy() removes it, and cgroup_unmake_parents() after that the parents that cgroup_make() made, where nobody uses them. */
int cgroup_make(const struct plan_cgroup *plan, struct cgroup **ret, struct error *err);
int cgroup_limit(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err);
void cgroup_unmake_parents(struct cgroup *cgroup);
/* Before anything is made: that nothing runs in a group of that path, nor is it frozen. Who notes first which group will be the
 * container's would else note somebody else's. Errors: as cgroup_create's. */
int cgroup_check_unused(const struct plan_cgroup *plan, struct error *err);
/* After cgroup_create: what counts memory, processor time and tasks holds the group also where no limit needs it, for statistics and
 * out-of-memory events. v1 controllers alone: a v2 group has its controllers, or they are its parents' to turn on. One that is
 * not mounted, or in which we have no right to make groups, is left out. ERROR_EXISTS: processes are in it. */
int cgroup_account(struct cgroup *cgroup, struct error *err);
/* After the container's first process was cloned into it: what systemd's scope was kept alive with goes, and the limit on processes is
 * what the plan says. Does nothing for others. ERROR_SYSTEM: the limit can't be set. */
int cgroup_release(struct cgroup *cgroup, struct error *err);
/* The group of an existing container. A group that is gone (the host rebooted, somebody removed it) is no error:
 * cgroup_exists says so, pids are none, destroy succeeds. path: as in plan_cgroup. */
int cgroup_open(enum plan_cgroup_manager manager, const char *path, struct cgroup **ret, struct error *err);
/* Where systemd has a slice, for cgroup_open: a-b.slice -> a.slice/a-b.slice, below the root of each hierarchy. Returns 0, or -EINVAL: no
 * name of a slice, or one of more levels than size bytes hold. */
int cgroup_unit_slice_path(const char *slice, char *path, size_t size);
/* A group below `parent` that exists already, for `exec --cgroup`. path: relative to parent, one leading slash is ignored,
 * ".." refused; "" and "/" mean parent itself. ERROR_NOT_FOUND where no hierarchy of the parent has it. */
int cgroup_open_below(struct cgroup *parent, const char *path, struct cgroup **ret, struct error *err);
/* Closes descriptors; the group stays. */
void cgroup_free(struct cgroup *cgroup);
DEFINE_CLEANUP(struct cgroup *, cgroup_free);

/* False where no hierarchy has it, and for the manager "disabled". */
bool cgroup_exists(struct cgroup *cgroup);
/* Below the root of each hierarchy: as given at create or open, and where systemd put the scope. */
const char *cgroup_path(const struct cgroup *cgroup);

/* The directory to hand to clone3(2) with CLONE_INTO_CGROUP: of the v2 tree. -EBADF where there is none. Stays ours. */
int cgroup_clone_fd(const struct cgroup *cgroup);
/* Moves pid (all its threads) into the group in every hierarchy that holds it. cloned: CLONE_INTO_CGROUP has put it into
 * the v2 tree already. With a pure v2 layout and cloned there is nothing to do and no system call is made. */
int cgroup_join(struct cgroup *cgroup, pid_t pid, bool cloned, struct error *err);
/* For who joins by writing "0" to them, with one thread: the files "tasks" of the v1 trees that hold the group, named as in
 * cgroup_views, which the caller closes. The kernel then locks nothing: any other move waits until no process of the machine forks or
 * ends, milliseconds on a busy one (cgroup_attach_lock() in the kernel's cgroup.c). Returns how many, or a negative errno. */
#define CGROUP_VIEWS_MAX 12
struct cgroup_view {
	const char *name;
	int fd;
};
int cgroup_open_tasks(struct cgroup *cgroup, struct cgroup_view tasks[static CGROUP_VIEWS_MAX], struct error *err);
/* The v1 trees that hold the group, as {"memory", descriptor of its directory there}; none where the v2 tree does all. Returns
 * how many were put into views, which has room for CGROUP_VIEWS_MAX. The descriptors stay ours. */
size_t cgroup_views(struct cgroup *cgroup, struct cgroup_view views[static CGROUP_VIEWS_MAX]);
/* OCI "cgroup ownership": gives the v2 directory and the files that the kernel lists as delegatable to uid. Nothing to do
 * on v1, which can't be delegated safely. */
int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, struct error *err);
/* Removes the group and all groups below it. Waits up to timeout_ms for killed processes to leave; ERROR_STATE (EBUSY)
 * with the number of processes that are still there. A group that does not exist is no error. */
int cgroup_destroy(struct cgroup *cgroup, int timeout_ms, struct error *err);

/* ---- groups below: a container whose supervisor keeps its execs apart ---- */

/* The group keeps the limits, and processes live in groups below it in the v2 tree. v1 controllers hold them all in the group
 * itself, and without a v2 tree (v1 alone, "disabled") nothing is made and there is nothing to open. See docs/adr/0008. */
#define CGROUP_ENTRY_CONTAINER "container" /* the container's own: the root of its cgroup namespace */
#define CGROUP_ENTRY_EXECS "execs/"	   /* and the exec's id: one group for each */

/* Makes the group `entry` below, anew where an empty one is there: from here on cgroup_clone_fd, _join and _delegate mean that one, and
 * all others the whole. ERROR_EXISTS: processes are in it. */
int cgroup_make_entry(struct cgroup *cgroup, const char *entry, struct error *err);
/* The same for one that is there. ERROR_NOT_FOUND. */
int cgroup_open_entry(struct cgroup *cgroup, const char *entry, struct error *err);
/* The entry as a group of its own, for kill, signal and pids; found through the open group, never by path. ERROR_NOT_FOUND,
 * also without a v2 tree. */
int cgroup_open_group(struct cgroup *cgroup, const char *entry, struct cgroup **ret, struct error *err);
/* Moves the processes of `entry` to the group `into`, and removes it. No error where there is none. ERROR_STATE: they multiply
 * faster than they can be moved, or `into` takes no processes. */
int cgroup_release_entry(struct cgroup *cgroup, const char *entry, const char *into, struct error *err);
/* v2: gives the entry controllers (all that the group has, or those whose limits programs look up), and shows it the group's limits: a
 * program reads them in what it sees as the root of the tree. Does nothing where v1 holds the limits. */
int cgroup_show_limits(struct cgroup *cgroup, bool all_controllers, struct error *err);
/* After an update, for an entry that was shown the limits before. */
int cgroup_show_new_limits(struct cgroup *cgroup, struct error *err);

/* ---- while it runs ---- */

/* Changes limits, all or none: after a failure the earlier values are back. Values that are not in `resources` stay. A v1
 * controller that becomes needed only now is made and the processes are moved. An empty device list changes no device rule. */
int cgroup_update(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err);
/* Freezes (or thaws) all processes and waits until it is so. ERROR_TIMEOUT: undone. */
int cgroup_freeze(struct cgroup *cgroup, bool freeze, int timeout_ms, struct error *err);
/* Also true where a parent is frozen. False where that can't be found out. */
bool cgroup_is_frozen(struct cgroup *cgroup);
/* SIGKILL to every process in it and below, also those forked meanwhile and those frozen. Doesn't wait for their end. */
int cgroup_kill(struct cgroup *cgroup, struct error *err);
/* A signal to every process in it and below, each at most once, through pidfds: a pid reused meanwhile is safe. */
int cgroup_signal(struct cgroup *cgroup, int signal, struct error *err);
/* The processes in it and below, as pids in the caller's pid namespace (those not visible there are left out), in an
 * array in the arena. */
int cgroup_pids(struct cgroup *cgroup, struct arena *arena, pid_t **ret, size_t *ret_n, struct error *err);
/* Appends one JSON object: {"cpu":...,"memory":...,"pids":...,"blkio":...,"hugetlb":...} named as runc's `events` "data".
 * What no hierarchy of the group counts is left out. */
int cgroup_statistics(struct cgroup *cgroup, struct buffer *json, struct error *err);

/* The directory with a controller's files, by its v2 name ("cpu", "memory", "io", "pids", "hugetlb"; "cpuacct" of v1; "" for what
 * every v2 group has). ret_v2 (may be NULL): which version's files they are. -ENOENT where there is none. Stays ours. */
int cgroup_files(struct cgroup *cgroup, const char *controller, bool *ret_v2);

/* ---- out of memory ---- */

/* A descriptor that becomes readable (poll, POLLIN) when something may have happened: then cgroup_oom_acknowledge. The caller closes it. ERROR_UNSUPPORTED where the group has no memory controller. */
int cgroup_oom_fd(struct cgroup *cgroup, struct error *err);
/* Reads it empty. before: the count so far; v1 tells when a kill begins, so that the new count may take a moment: it is waited for, 50 ms
 * at most. Returns the count. */
uint64_t cgroup_oom_acknowledge(struct cgroup *cgroup, int fd, uint64_t before);
/* Reads it empty, and waits for nothing: for who looks at the count again a moment later. */
void cgroup_oom_clear(int fd);
/* How many processes of the group were killed for memory so far; 0 where nobody counts. Of a scope that systemd has removed meanwhile: what
 * is known of it, where cgroup_oom_fd was called before. */
uint64_t cgroup_oom_count(struct cgroup *cgroup);

/* ---- the driver table ---- */

/* "v2", "hybrid", "v1", "disabled": for --debug, features and `brig plan`. */
const char *cgroup_layout_name(enum host_cgroup_layout layout);
