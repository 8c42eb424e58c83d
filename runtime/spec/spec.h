/* config.json of the OCI runtime specification 1.3 for Linux, as it was asked for: decoded and checked, nothing decided.
 * Plain data, const once built. Members are named as in the document; a string, pointer or array that the document leaves
 * out is NULL with a count of 0, a number that may be left out is a struct opt_x. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

struct spec_id_mapping {
	uint32_t container_id, host_id, size; /* "containerID", "hostID" */
};

/* ---- process ---- */

struct spec_console_size {
	uint16_t height, width; /* rows, columns */
};

struct spec_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	const uint32_t *additional_gids;
	size_t n_additional_gids;
};

/* Names as they stand: one that this kernel or we don't know is for the plan to report (OCI 1.1: a warning). */
struct spec_capabilities {
	const char *const *bounding;
	size_t n_bounding;
	const char *const *effective;
	size_t n_effective;
	const char *const *inheritable;
	size_t n_inheritable;
	const char *const *permitted;
	size_t n_permitted;
	const char *const *ambient;
	size_t n_ambient;
};

struct spec_rlimit {
	int type; /* RLIMIT_*, each at most once */
	uint64_t soft, hard;
};

struct spec_scheduler {
	int policy; /* SCHED_* */
	int nice, priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;
};

struct spec_io_priority {
	int class; /* IOPRIO_CLASS_* */
	int priority;
};

struct spec_exec_cpu_affinity {
	const char *initial, *final; /* CPU lists or NULL */
};

struct spec_process {
	bool terminal;
	const struct spec_console_size *console_size;
	struct spec_user user;
	const char *const *args;
	size_t n_args;
	const char *const *env; /* each has a "=" after a non-empty name */
	size_t n_env;
	const char *cwd; /* absolute */
	const struct spec_capabilities *capabilities;
	const struct spec_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	const char *apparmor_profile;
	struct opt_int oom_score_adj;
	const struct spec_scheduler *scheduler;
	const char *selinux_label;
	const struct spec_io_priority *io_priority;
	const struct spec_exec_cpu_affinity *exec_cpu_affinity;
};

/* ---- root, mounts, hooks ---- */

struct spec_root {
	const char *path; /* as written: absolute, or relative to the bundle */
	bool readonly;
};

struct spec_mount {
	const char *destination; /* as written: since 1.2 it may be relative to "/" */
	const char *type, *source;
	const char *const *options;
	size_t n_options;
	const struct spec_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	const struct spec_id_mapping *gid_mappings;
	size_t n_gid_mappings;
};

struct spec_hook {
	const char *path; /* absolute */
	const char *const *args;
	size_t n_args;
	const char *const *env;
	size_t n_env;
	struct opt_int timeout; /* seconds, above 0 */
};

struct spec_hooks {
	const struct spec_hook *prestart;
	size_t n_prestart;
	const struct spec_hook *create_runtime;
	size_t n_create_runtime;
	const struct spec_hook *create_container;
	size_t n_create_container;
	const struct spec_hook *start_container;
	size_t n_start_container;
	const struct spec_hook *poststart;
	size_t n_poststart;
	const struct spec_hook *poststop;
	size_t n_poststop;
};

/* ---- linux.resources ---- */

struct spec_device_rule {
	bool allow;
	int type;		     /* 'a', 'b', 'c'; 0: not given, as 'a' */
	struct opt_i64 major, minor; /* absent or -1: any */
	const char *access;	     /* of "rwm", or NULL: all three */
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1: unlimited */
	struct opt_u64 swappiness;				     /* 0..100 */
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct spec_cpu {
	/* Callers write 0 for shares, quota, burst and period that they don't want to set. */
	struct opt_u64 shares;
	struct opt_i64 quota; /* microseconds, -1: none */
	struct opt_u64 burst, period;
	struct opt_i64 realtime_runtime;
	struct opt_u64 realtime_period;
	const char *cpus, *mems; /* lists as cpuset takes them */
	struct opt_i64 idle;
};

struct spec_weight_device {
	int64_t major, minor;
	struct opt_u16 weight, leaf_weight;
};

struct spec_throttle_device {
	int64_t major, minor;
	uint64_t rate; /* bytes or operations a second */
};

struct spec_block_io {
	struct opt_u16 weight, leaf_weight;
	const struct spec_weight_device *weight_device;
	size_t n_weight_device;
	const struct spec_throttle_device *throttle_read_bps_device;
	size_t n_throttle_read_bps_device;
	const struct spec_throttle_device *throttle_write_bps_device;
	size_t n_throttle_write_bps_device;
	const struct spec_throttle_device *throttle_read_iops_device;
	size_t n_throttle_read_iops_device;
	const struct spec_throttle_device *throttle_write_iops_device;
	size_t n_throttle_write_iops_device;
};

struct spec_hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;	       /* bytes */
};

struct spec_interface_priority {
	const char *name;
	uint32_t priority;
};

struct spec_network {
	struct opt_u32 class_id;
	const struct spec_interface_priority *priorities;
	size_t n_priorities;
};

struct spec_rdma {
	const char *device; /* the key of the map */
	struct opt_u32 hca_handles, hca_objects;
};

struct spec_resources {
	const struct spec_device_rule *devices;
	size_t n_devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct opt_i64 pids_limit; /* "pids": { "limit" }; -1: unlimited */
	struct spec_block_io block_io;
	const struct spec_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct spec_network network;
	const struct spec_rdma *rdma;
	size_t n_rdma;
	const struct json_pair *unified; /* file of cgroup v2 -> what is written */
	size_t n_unified;
};

/* ---- linux.seccomp ---- */

struct spec_seccomp_arg {
	uint32_t index; /* 0..5 */
	uint64_t value, value_two;
	int op; /* enum seccomp_operator */
};

struct spec_seccomp_rule {
	const char *const *names; /* never empty */
	size_t n_names;
	uint32_t action; /* SECCOMP_RET_*, data 0 */
	struct opt_u32 errno_ret;
	const struct spec_seccomp_arg *args;
	size_t n_args;
};

struct spec_seccomp {
	uint32_t default_action; /* SECCOMP_RET_*, data 0 */
	struct opt_u32 default_errno_ret;
	const uint32_t *architectures; /* AUDIT_ARCH_*, or NAMES_ARCH_X32 */
	size_t n_architectures;
	struct opt_u64 flags; /* SECCOMP_FILTER_FLAG_*; set (maybe to 0) where the document has the list */
	const char *listener_path, *listener_metadata;
	const struct spec_seccomp_rule *syscalls;
	size_t n_syscalls;
};

/* ---- linux ---- */

struct spec_namespace {
	uint64_t type;	  /* CLONE_NEW*, each at most once */
	const char *path; /* absolute: join; NULL: a new one */
};

struct spec_device {
	const char *path; /* absolute */
	int type;	  /* 'c', 'b', 'u', 'p' */
	struct opt_i64 major, minor;
	struct opt_u32 file_mode, uid, gid; /* file_mode may carry type bits: only 07777 counts */
};

struct spec_intel_rdt {
	const char *clos_id;
	const char *const *schemata;
	size_t n_schemata;
	const char *l3_cache_schema, *mem_bw_schema;
	bool enable_cmt, enable_mbm, enable_monitoring;
};

struct spec_personality {
	uint32_t domain; /* PER_* */
	const char *const *flags;
	size_t n_flags;
};

struct spec_time_offset {
	const char *clock; /* the key of the map: "monotonic" or "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_memory_policy {
	int mode;	   /* MPOL_* */
	const char *nodes; /* a list, may be empty or NULL */
	uint64_t flags;	   /* MPOL_F_* */
};

struct spec_net_device {
	const char *host_name; /* the key of the map */
	const char *name;      /* inside; NULL: the same */
};

struct spec_linux {
	const struct spec_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	const struct spec_id_mapping *gid_mappings;
	size_t n_gid_mappings;
	const struct json_pair *sysctl;
	size_t n_sysctl;
	struct spec_resources resources;
	const char *cgroups_path;
	const struct spec_namespace *namespaces;
	size_t n_namespaces;
	const struct spec_device *devices;
	size_t n_devices;
	const struct spec_net_device *net_devices;
	size_t n_net_devices;
	const struct spec_seccomp *seccomp;
	uint64_t rootfs_propagation; /* MS_SHARED ..., with MS_REC for "rshared" ...; 0: not given */
	const char *const *masked_paths;
	size_t n_masked_paths;
	const char *const *readonly_paths;
	size_t n_readonly_paths;
	const char *mount_label;
	const struct spec_intel_rdt *intel_rdt;
	const struct spec_memory_policy *memory_policy;
	const struct spec_personality *personality;
	const struct spec_time_offset *time_offsets;
	size_t n_time_offsets;
};

/* ---- the whole ---- */

struct spec {
	struct arena *arena; /* owns everything below */
	const char *oci_version;
	struct spec_root root;
	const char *hostname, *domainname;
	const struct spec_process *process; /* NULL: such a container can be created, not started */
	const struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_hooks hooks;
	const struct json_pair *annotations;
	size_t n_annotations;
	struct spec_linux linux_; /* "linux": a macro in gnu17, hence the underscore */
};

/* NULL is fine. All of a spec lives in its arena. */
void spec_free(struct spec *spec);
DEFINE_CLEANUP(struct spec *, spec_free);

/* Decodes and validates a config.json of length bytes. Returns 0, or a negative errno with err set: ERROR_INVALID and a
 * message that begins with the path in the document, says what was found and what is allowed. *ret is for spec_free(). */
int spec_parse(const char *text, size_t length, struct spec **ret, struct error *err);
/* The same for a process object by itself (exec --process FILE); what *ret points to lives in arena. */
int spec_parse_process(const char *text, size_t length, struct arena *arena, struct spec_process *ret, struct error *err);
/* The same for a linux.resources object by itself (update --resources FILE). */
int spec_parse_resources(const char *text, size_t length, struct arena *arena, struct spec_resources *ret,
			 struct error *err);
/* Reads and parses config.json of a bundle (or the file of another name), which is opened beneath bundle_fd and has to be a regular file of at most
 * SPEC_BYTES_MAX. ret_text (may be NULL) gets the document as read, for buffer_done(). */
int spec_load(int bundle_fd, const char *name, struct spec **ret, struct buffer *ret_text, struct error *err);

#define SPEC_BYTES_MAX ((size_t)16 * 1024 * 1024)
