/* What the host is like and can do: facts that planning depends on, gathered beforehand by parent/host.c and its neighbours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum host_cgroup_layout { HOST_CGROUP_NONE, HOST_CGROUP_V1, HOST_CGROUP_V2, HOST_CGROUP_HYBRID };

struct host {
	uid_t euid;
	gid_t egid;
	uint64_t capabilities; /* effective */
	uint64_t capability_bounding;
	int last_capability;
	bool in_user_namespace; /* not the initial one */
	enum host_cgroup_layout cgroup_layout;
	bool cgroup_closed;	  /* an ordinary user, whom nobody lets make a group at the top of the tree */
	uint64_t rlimit_hard[16]; /* by RLIMIT_* */
	int oom_score_adj;	  /* our own; lower needs CAP_SYS_RESOURCE */
	int scheduler, nice;	  /* our own, SCHED_*: what config.json does not set is inherited */
	int io_priority;	  /* our own, as ioprio_get(2) has it */
	bool apparmor, selinux;
	int landlock;	       /* version of the kernel's interface; 0: none, or not asked for */
	bool apparmor_default; /* PLAN_APPARMOR_DEFAULT is loaded; looked for where a rule asks for it */
	bool apparmor_stacked; /* it is in PLAN_APPARMOR_NAMESPACE too, and the kernel can stack profiles; as above */
};

/* What lies where a bind mount's source or the root file system is, found before planning and held against the descriptor that is
 * mounted later: whoever swaps it in between is refused. */
struct host_source {
	bool known; /* false: it could not be looked at, as `brig plan` for an ordinary user */
	bool magic; /* not known, since a magic link of procfs leads there (or more links than the kernel follows) */
	uint64_t device, inode;
	uint32_t mode;	      /* st_mode */
	uint64_t special;     /* st_rdev, of a device node */
	uint32_t file_system; /* *_MAGIC of statfs(2) */
	bool mappable;	      /* this kernel can id-map mounts of that file system */
	const char *real;     /* the path without symbolic links, or NULL */
	const char *alias; /* where the mount that it lies in is a bind: the path by the mount that shows more of it, or NULL */
	const char *below; /* recursive: where below it one of the kernel's own file systems is mounted, or NULL */
};

/* What limits a group by those above it: the lowest of each kind; 0: none. */
struct host_limits {
	uint64_t pids;	 /* processes and threads */
	uint64_t memory; /* bytes */
	uint64_t cpu;	 /* thousandths of a processor */
};

/* The user namespace that the floor gives to a container whose config.json has none. */
struct host_ids {
	bool granted;	      /* false: none is to be made */
	uint32_t first, size; /* of the host's ids, from which 0 of the container is the first */
	const char *join;     /* the namespace of the pod that has that range already, or NULL: a new one */
};
