/* What will be done: everything that parent/ and child/ need to make one container (or one exec), decided beforehand.
 * Plain data in an arena, const once built; parent/ and child/ never see the spec. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/endpoint.h"
#include "plan/facts.h"

/* ---- identity and namespaces ---- */

struct plan_id_range {
	uint32_t inside, outside, count;
};

struct plan_id_map {
	const struct plan_id_range *ranges;
	size_t n_ranges;
};

struct plan_namespace_join {
	uint64_t flag; /* one CLONE_NEW* */
	const char *path;
	bool not_the_hosts; /* joining our own must be refused: a name or a sysctl is set in it (CVE-2022-0532), or egress is held */
	uint32_t least_id; /* a user namespace that maps lower ones of the host, its users, must be refused; 0: any will do */
};

struct plan_net_device {	      /* an interface of the host's that becomes the container's */
	const char *host_name, *name; /* name: inside; with "%d" at its end: the first that is free */
};

struct plan_time_offset {
	int clock; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
	int64_t secs;
	uint32_t nanosecs;
};

struct plan_namespaces {
	uint64_t create; /* CLONE_NEW* flags to make anew */
	uint64_t enter;	 /* exec alone: the kinds in which the container is not in the host's */
	const struct plan_namespace_join *join;
	size_t n_join;
	/* Of a new user namespace; or of the pod's, which the floor has it join. */
	struct plan_id_map uids, gids;
	bool deny_setgroups; /* rootless: gid_map can be written only after "deny" */
	uint64_t added;	     /* kinds that config.json does not list */
	bool low_ports; /* in a network namespace that is joined and not the host's: every port and ping for everybody */
	const struct plan_time_offset *time_offsets;
	size_t n_time_offsets;
};

/* ---- file system ---- */

enum plan_mount_kind {
	PLAN_MOUNT_BIND,       /* clone of a host path */
	PLAN_MOUNT_FILESYSTEM, /* fsopen of `type` */
	PLAN_MOUNT_CGROUP,     /* the container's view of the cgroup tree: v2, or one directory per v1 controller */
};

/* Who can make it: the parent while it has the host's view, or the child inside its namespaces. */
enum plan_mount_maker { PLAN_MAKER_PARENT, PLAN_MAKER_CHILD };

struct plan_mount_option { /* one fsconfig(2) key; value NULL: a flag */
	const char *key, *value;
};

struct plan_mount {
	enum plan_mount_kind kind;
	enum plan_mount_maker maker;
	const char *where;	 /* path in config.json, for messages: "mounts[3]" */
	const char *destination; /* absolute in the container, normalised */
	const char *source;	 /* bind: absolute host path; file system: the source string or NULL */
	const char *type;
	const struct plan_mount_option *options; /* file system: what goes to fsconfig */
	size_t n_options;
	const char *label;	       /* SELinux's, for the root of what takes no option context=, or NULL */
	bool recursive;		       /* bind: AT_RECURSIVE clone */
	bool is_dev;		       /* the tmpfs at /dev: filled with the devices and links below */
	bool copy_up;		       /* tmpfs: tmpcopyup */
	bool keep_mode;		       /* tmpfs without mode=: that of the directory beneath, if there is one */
	bool fill;		       /* a new tmpfs: read-only, if at all, when what is to lie in it is there */
	bool idmap, idmap_recursive;   /* MOUNT_ATTR_IDMAP with the maps below */
	struct plan_id_map uids, gids; /* empty with idmap: the container's own maps */
	bool idmap_by_floor; /* nobody asked for it: where the kernel refuses it after all, the mount stays as it is */
	uint64_t attr_set, attr_clear;	 /* MOUNT_ATTR_*, for this mount */
	uint64_t rattr_set, rattr_clear; /* MOUNT_ATTR_*, with AT_RECURSIVE */
	uint64_t propagation;		 /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0 */
	bool propagation_recursive;
	mode_t target_mode; /* of a directory made as target; 0: 0755 */
	/* bind: the source is what was looked at before planning, or the container is not made. Nothing was seen: 0 and 0. */
	bool source_checked;
	uint64_t source_device, source_inode;
	bool ours; /* handed over, or chosen, by brig itself and not by config.json */
};

struct plan_device {
	const char *path; /* absolute in the container */
	mode_t type;	  /* S_IFCHR, S_IFBLK, S_IFIFO */
	uint32_t major, minor;
	mode_t mode; /* permission bits */
	uid_t uid;   /* inside the container */
	gid_t gid;
};

struct plan_rootfs {
	const char *path; /* absolute on the host */
	bool readonly;
	bool idmap; /* MOUNT_ATTR_IDMAP with the container's own maps */
	uint64_t propagation; /* of "/" in the container: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE (each with MS_REC), or 0 */
	/* As for a mount's source: what is at path is what was looked at. */
	bool source_checked;
	uint64_t source_device, source_inode;
	/* The mount namespace is the host's user namespace's, though the container has one of its own: its root, be it with CAP_SYS_ADMIN,
	 * undoes no mount, mask or read-only (docs/adr/0006). The child enters its user namespace once all is mounted. */
	bool locked;
	bool no_pivot; /* --no-pivot: MS_MOVE and chroot, for a root on a ramfs */
	const struct plan_mount *mounts;
	size_t n_mounts;
	const struct plan_device *devices; /* default ones included, each path once */
	size_t n_devices;
	const char *const *masked, *const *readonly_paths; /* absolute, normalised */
	size_t n_masked, n_readonly_paths;
	const char *mount_label; /* SELinux's, which the mounts above have already: for those that mask, or NULL */
};

/* ---- process ---- */

/* Our own profile (seccomp-profiles/), where config.json names none. */
#define PLAN_APPARMOR_DEFAULT "brig-default"
/* The same profile in a policy namespace of AppArmor's, to lie below one that config.json names. Within one namespace each of two stacked
 * profiles would have to allow signals and tracing between processes that have both, and the usual ones allow those of their own name
 * alone; a profile does not see names of another namespace. */
#define PLAN_APPARMOR_NAMESPACE "brig"
#define PLAN_APPARMOR_STACKED ":" PLAN_APPARMOR_NAMESPACE ":" PLAN_APPARMOR_DEFAULT

struct plan_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
	bool by_parent; /* raised, with a user namespace of the container's own: takes prlimit(2) by the host's CAP_SYS_RESOURCE */
};

struct plan_capabilities { /* bit n: capability n */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct plan_scheduler {
	bool set;
	int policy, nice, priority;
	uint64_t flags, runtime, deadline, period;
};

/* Processors or memory nodes, bit by bit as the kernel takes them. */
struct plan_number_list {
	const char *text;	   /* as config.json has it, "0-3,7"; NULL: none are given */
	const unsigned long *bits; /* n_words of them */
	size_t n_words;
};

struct plan_memory_policy {
	bool set;
	int mode;	/* MPOL_* */
	uint64_t flags; /* MPOL_F_* */
	struct plan_number_list nodes;
};

struct plan_process {
	const char *const *argv, *const *envp; /* NULL-terminated */
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	bool set_umask;
	mode_t umask;
	bool terminal;
	uint16_t rows, columns; /* 0: left as they are */
	bool no_new_privileges;
	struct plan_capabilities capabilities;
	const struct plan_rlimit *rlimits;
	size_t n_rlimits;
	bool set_oom_score_adj;
	int oom_score_adj;
	const char *apparmor_profile, *selinux_label; /* or NULL */
	bool set_personality;
	unsigned long personality;
	bool set_io_priority;
	int io_priority; /* as ioprio_set(2) takes it */
	struct plan_scheduler scheduler;
	/* exec alone: the processors that it begins on, as a process of the runtime's group, and those that it is given in the container's. */
	struct plan_number_list first_cpus, final_cpus;
	struct plan_memory_policy memory_policy;
	bool new_keyring;      /* a session keyring of its own */
	unsigned preserve_fds; /* descriptors 3 and up that the caller passes on */
};

/* ---- system call filter: the OCI rules with names as text; parent/seccomp compiles them ---- */

struct plan_seccomp_arg {
	unsigned index; /* 0..5 */
	uint64_t value, value_two;
	const char *op; /* SCMP_CMP_* */
};

struct plan_seccomp_rule {
	const char *const *names;
	size_t n_names;
	uint32_t action; /* SECCOMP_RET_* with its data */
	const struct plan_seccomp_arg *args;
	size_t n_args;
};

/* brig's own filters (seccomp-profiles/). */
enum plan_floor { PLAN_FLOOR_NONE, PLAN_FLOOR_STRICT, PLAN_FLOOR_BASELINE, PLAN_N_FLOORS };

struct plan_seccomp {
	/* Beneath the rules below: the stricter answer counts. Where enabled is false, it is the whole filter. */
	enum plan_floor floor;
	uint64_t floor_capabilities; /* of the bounding set: some calls are allowed with a capability only */
	bool floor_notifies; /* what the floor denies with EPERM goes to a listener of ours, which counts it and answers */
	bool logs;	     /* what is refused is in the kernel's log, at its rate. Not in the digest */
	bool records; /* each call is asked about, by who learns what a container needs; the answers stay what they are. Not in the digest */
	bool enabled; /* config.json has a filter: the rules below */
	uint32_t default_action;
	const uint32_t *architectures; /* AUDIT_ARCH_*; empty: the native one */
	size_t n_architectures;
	uint64_t flags; /* SECCOMP_FILTER_FLAG_* */
	const struct plan_seccomp_rule *rules;
	size_t n_rules;
	const char *listener_path, *listener_metadata; /* or NULL */
	bool listener_held; /* no symbolic link may lead to it: the policy's list names it as it is. Not in the digest */
	uint8_t digest[32]; /* SHA-256 of all of the above in a canonical form: the key of the cache */
};

/* config.json's, the floor, or both of them as one; or one that allows all and is recorded. */
static inline bool plan_has_filter(const struct plan_seccomp *seccomp)
{
	return seccomp->enabled || seccomp->floor != PLAN_FLOOR_NONE || seccomp->records;
}

/* ---- Landlock: a second lock, which holds even where a mount's flags were got round ---- */

struct plan_landlock_place {
	const char *destination; /* absolute in the container: a mount that may be written to */
	size_t mount;		 /* its index in rootfs.mounts; an exec has none: PLAN_LANDLOCK_BY_PATH */
};

#define PLAN_LANDLOCK_BY_PATH SIZE_MAX

struct plan_landlock {
	bool enabled; /* what changes files works in the places alone; no device nodes can be made, no mounts changed (landlock(7)) */
	bool refuses_tcp; /* connect(2) and bind(2) of TCP sockets, whatever the address; also where files are not locked */
	int version;	  /* of the kernel's interface */
	const struct plan_landlock_place *places;
	size_t n_places;
};

/* ---- cgroup ---- */

struct plan_device_rule {
	bool allow;
	char type;	      /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* BPF_DEVCG_ACC_* bits: MKNOD 1, READ 2, WRITE 4 */
};

struct plan_throttle { /* one device's limit; kind says of what */
	enum {
		PLAN_IO_WEIGHT,
		PLAN_IO_LEAF_WEIGHT,
		PLAN_IO_READ_BPS,
		PLAN_IO_WRITE_BPS,
		PLAN_IO_READ_IOPS,
		PLAN_IO_WRITE_IOPS
	} kind;
	uint64_t major, minor, value;
};

struct plan_pair { /* name and value */
	const char *name, *value;
};

struct plan_number { /* name and number */
	const char *name;
	uint64_t value;
	bool reservation; /* hugetlb: the rsvd. variant as well */
};

struct plan_rdma {
	const char *device;
	bool set_handles, set_objects;
	uint32_t handles, objects;
};

/* Bits of plan_resources.set. */
enum {
	PLAN_MEMORY_LIMIT = 1 << 0,
	PLAN_MEMORY_RESERVATION = 1 << 1,
	PLAN_MEMORY_SWAP = 1 << 2,
	PLAN_MEMORY_SWAPPINESS = 1 << 3,
	PLAN_MEMORY_OOM_DISABLE = 1 << 4,
	PLAN_MEMORY_CHECK = 1 << 5,
	PLAN_CPU_SHARES = 1 << 6,
	PLAN_CPU_QUOTA = 1 << 7,
	PLAN_CPU_PERIOD = 1 << 8,
	PLAN_CPU_BURST = 1 << 9,
	PLAN_CPU_IDLE = 1 << 10,
	PLAN_CPU_RT_RUNTIME = 1 << 11,
	PLAN_CPU_RT_PERIOD = 1 << 12,
	PLAN_PIDS = 1 << 13,
	PLAN_IO_DEFAULT_WEIGHT = 1 << 14,
	PLAN_IO_DEFAULT_LEAF_WEIGHT = 1 << 15,
	PLAN_NET_CLASS = 1 << 16,
	PLAN_MEMORY_KERNEL = 1 << 17,
	PLAN_MEMORY_KERNEL_TCP = 1 << 18,
	PLAN_MEMORY_HIERARCHY = 1 << 19,
};

struct plan_resources {
	uint32_t set;					       /* which of the scalars below were asked for */
	int64_t memory_limit, memory_reservation, memory_swap; /* bytes; -1: no limit; swap as OCI has it: memory + swap */
	int64_t memory_kernel, memory_kernel_tcp;
	uint64_t memory_swappiness;
	bool oom_disable, memory_check_before_update, memory_hierarchy;
	uint64_t cpu_shares, cpu_period, cpu_burst, cpu_rt_period;
	int64_t cpu_quota, cpu_rt_runtime, cpu_idle;
	const char *cpus, *mems; /* cpuset lists or NULL */
	int64_t pids;		 /* -1 or 0: no limit */
	uint16_t io_weight, io_leaf_weight;
	const struct plan_throttle *throttles;
	size_t n_throttles;
	const struct plan_number *hugepages; /* "2MB" -> bytes */
	size_t n_hugepages;
	const struct plan_rdma *rdma;
	size_t n_rdma;
	uint32_t net_class;
	const struct plan_number *net_priorities;
	size_t n_net_priorities;
	const struct plan_pair *unified;
	size_t n_unified;
	const struct plan_device_rule *devices; /* in order, the last match counts; none: no device program */
	size_t n_devices;
};

enum plan_cgroup_manager { PLAN_CGROUP_FS, PLAN_CGROUP_SYSTEMD, PLAN_CGROUP_DISABLED };

struct plan_property { /* of a unit of systemd's, with its D-Bus signature (base/unit_request.h) */
	const char *signature, *name, *value;
};

struct plan_cgroup {
	enum plan_cgroup_manager manager;
	const struct plan_property *properties; /* systemd: what annotations ask for, beyond limits */
	size_t n_properties;
	const char *path; /* relative to the root of each hierarchy, no leading slash, no ".." */
	struct plan_resources resources;
	bool delegate; /* writable for the container's root: chown as OCI "cgroup ownership" says */
	uid_t owner_uid;
};

/* ---- where it may connect to: parent/cgroup makes programs of it that are attached to the cgroup ---- */

struct plan_egress {
	bool enforced;	  /* what is not in the list is refused; an empty list refuses all */
	bool own_network; /* not the host's: loopback, and with it the namespace's own addresses, pass */
	const struct endpoint *list;
	size_t n;
};

/* ---- hooks, sysctl ---- */

enum plan_hook_kind {
	PLAN_HOOK_PRESTART,
	PLAN_HOOK_CREATE_RUNTIME,
	PLAN_HOOK_CREATE_CONTAINER,
	PLAN_HOOK_START_CONTAINER,
	PLAN_HOOK_POSTSTART,
	PLAN_HOOK_POSTSTOP,
	PLAN_N_HOOK_KINDS,
};

struct plan_hook {
	const char *path;
	const char *const *argv, *const *envp; /* NULL-terminated; argv never empty */
	int timeout;			       /* seconds, 0: none */
	const char *where;		       /* "hooks.poststart[0]" */
};

struct plan_hooks {
	const struct plan_hook *list;
	size_t n;
};

/* ---- what a supervisor holds while the container runs ---- */

enum {
	PLAN_HOLDS_TIMEOUT = 1 << 0,
	PLAN_HOLDS_MAX_OUTPUT = 1 << 1,
	PLAN_HOLDS_DENIALS = 1 << 2, /* a listener for what the floor's filter refuses */
};

struct plan_limit {
	uint64_t value; /* 0: none */
	bool by_site;	/* the policy's, not an annotation's */
};

struct plan_limits {
	struct plan_limit timeout;    /* nanoseconds from the start: then all of the container is killed */
	struct plan_limit max_output; /* bytes of stdout, and of stderr */
};

/* ---- the whole ---- */

struct plan {
	struct arena *arena;	 /* owns everything here */
	const char *id;		 /* of the container */
	const char *bundle;	 /* absolute */
	const char *oci_version; /* as config.json has it */
	const struct plan_pair *annotations;
	size_t n_annotations;
	const struct plan_pair *rules; /* of the policy: name and level, each of them */
	size_t n_rules;
	struct plan_namespaces namespaces;
	struct plan_rootfs rootfs;
	bool has_process; /* config.json may leave the process out: such a container can be created, not started */
	struct plan_process process;
	struct plan_seccomp seccomp;
	struct plan_landlock landlock;
	struct plan_cgroup cgroup;
	struct plan_hooks hooks[PLAN_N_HOOK_KINDS];
	struct plan_limits limits;
	struct plan_egress egress;
	const struct plan_net_device *net_devices;
	size_t n_net_devices;
	const char *hostname, *domainname; /* or NULL */
	const struct plan_pair *sysctls;   /* name with slashes: "net/ipv4/ip_forward" */
	size_t n_sysctls;
	/* Those of a network namespace that a user namespace of the container's own does not own: the parent, which has entered it,
	 * writes them. */
	const struct plan_pair *parent_sysctls;
	size_t n_parent_sysctls;
};

static inline bool plan_has_hooks(const struct plan *plan)
{
	for (int kind = 0; kind < PLAN_N_HOOK_KINDS; kind++) {
		if (plan->hooks[kind].n)
			return true;
	}
	return false;
}

/* Is the mount of that place in the list what is seen at its destination, and not one that comes later, there or above it? */
bool plan_mount_is_on_top(const struct plan_rootfs *rootfs, size_t mount);

/* NULL is fine. All of a plan lives in its arena. */
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free);

/* ---- the report: what was asked, what is applied, why ---- */

enum report_level { REPORT_NOTE, REPORT_ADJUSTED, REPORT_WARNING, REPORT_REFUSED };

struct report_line {
	enum report_level level;
	const char *rule;  /* short stable name: "rlimit-raise" */
	const char *where; /* path in config.json */
	const char *asked, *applied, *why;
};

struct report {
	struct arena *arena; /* that of the plan */
	struct report_line *lines;
	size_t n_lines, capacity;
};
