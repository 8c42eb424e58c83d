/* What the site allows: the rules that planning applies on top of config.json, and how strictly each of them holds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "policy/egress_value.h"

/* Read where --policy is not given; where there is none, the built-in set holds. */
#define POLICY_FILE "/etc/brig/policy.json"
#define POLICY_BYTES_MAX ((size_t)64 * 1024)

enum policy_set {
	POLICY_CONFORMANT, /* do what config.json says: for trusted workloads and conformance suites */
	POLICY_STRICT,	   /* for workloads that nobody vouches for */
	POLICY_BASELINE,   /* strict, less what popular images can't do without */
};

/* Holds where there is no policy file. */
#define POLICY_BUILT_IN POLICY_STRICT

enum policy_rule {
	/* What config.json asks for and this host, the caller, or the site withholds: nobody can do as asked. */
	POLICY_CAPABILITY_UNKNOWN,
	POLICY_CAPABILITY_WITHHELD,
	POLICY_CGROUP_DISABLED,
	POLICY_LIMIT_RAISE,
	POLICY_LIMIT_UNSUPERVISED,
	POLICY_OOM_SCORE_LOWER,
	POLICY_RLIMIT_RAISE,
	POLICY_SELINUX_MISSING,
	/* The floor: what config.json may have, and is not given all the same (plan_harden.c). */
	POLICY_AMBIENT_CAPABILITY, /* inheritable and ambient sets are empty */
	POLICY_ANNOTATION,	   /* those that runtimes are known to misuse */
	POLICY_APPARMOR,	   /* brig-default where AppArmor is on and no profile is named */
	POLICY_CAPABILITY,	   /* the ceiling */
	POLICY_CGROUP_NAMESPACE,   /* one of its own */
	POLICY_CORE_DUMP,	   /* RLIMIT_CORE 0 */
	POLICY_DEVICE,		   /* from a list only: nodes, device rules, binds of device nodes */
	POLICY_EGRESS_MAXIMUM,	   /* no way out that the site's list lacks */
	POLICY_HOOK,		   /* from listed directories only */
	POLICY_HOST_NAMESPACE,	   /* pid, network, ipc, uts, time: none of the host's */
	POLICY_LANDLOCK,	   /* a second lock on the file system, where the root is read-only */
	POLICY_MASKED_PATH,	   /* masked and read-only paths: a union with ours */
	POLICY_MOUNT_FLAGS,	   /* volumes are nosuid, nodev */
	POLICY_MOUNT_PROPAGATION,  /* nothing goes back to the host */
	POLICY_MOUNT_SOURCE,	   /* by identity: sockets, host directories, other pods' */
	POLICY_NEW_PRIVILEGES,	   /* no_new_privs */
	POLICY_OOM_SCORE,	   /* not below 0, or -998 when a CRI calls */
	POLICY_RESOURCE_MAXIMUM,   /* pids, memory, cpu above the site's */
	POLICY_RESOURCE_MISSING,   /* none of the container's or its pod's */
	POLICY_ROOTFS_UNMAPPED,	   /* a root file system that can't be id-mapped */
	POLICY_SECCOMP,		   /* brig's filter beneath config.json's, or alone */
	POLICY_SESSION_KEYRING,	   /* a new one */
	POLICY_SYSCTL,		   /* from a list, in owned namespaces only */
	POLICY_USER_NAMESPACE,	   /* with a range of its own */
	POLICY_VOLUME_UNMAPPED,	   /* a volume that can't be id-mapped */
	POLICY_N_RULES,
};

#define POLICY_FLOOR_FIRST POLICY_AMBIENT_CAPABILITY

enum policy_level {
	POLICY_LEVEL_OF_SET, /* in a file: not named there */
	POLICY_OFF,	     /* as asked, and say nothing */
	POLICY_ADJUST, /* withheld: go on with what can be done; floor: make it so. In the report, and in the log at debug */
	POLICY_WARN,	/* withheld: the same, and a warning in the log; floor: as asked, with a warning */
	POLICY_ENFORCE, /* refuse */
};

/* The site's maximum of what a supervisor holds, which is also the limit where a container asks for none; 0: there is none. */
struct policy_limits {
	uint64_t timeout;    /* nanoseconds from the start */
	uint64_t max_output; /* bytes of stdout, and of stderr */
};

/* Where a container asks for no limit it has `missing`; more than `most` it can't have. 0: the policy says nothing. */
struct policy_resource {
	uint64_t missing, most;
};

struct policy_resources {
	struct policy_resource pids;   /* processes and threads */
	struct policy_resource memory; /* bytes */
	struct policy_resource cpu;    /* thousandths of a processor */
};

/* Of the host's user ids, for user namespaces: `count` ids from `first` on, in ranges of `size`. */
struct policy_ids {
	uint32_t first, count, size;
};

struct policy_strings {
	const char *const *list;
	size_t n;
};

struct policy_device {
	char type;	      /* 'b', 'c' */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* BPF_DEVCG_ACC_*: MKNOD 1, READ 2, WRITE 4 */
};

struct policy_devices {
	const struct policy_device *list;
	size_t n;
};

/* The audit trail, docs/audit.md. "" and 0: as the trail has it by default. */
struct policy_audit {
	bool enabled;
	char path[256];
	uint64_t max_bytes; /* then the file is rotated */
	unsigned keep;	    /* rotated files */
	bool syslog, journald, redact_args;
	bool kernel_log; /* the kernel logs what a filter refuses where nobody counts it */
	bool required;	 /* what can't be recorded is not done */
};

struct policy {
	struct arena *arena; /* owns the lists; NULL: a built-in set as it is */
	const char *text;    /* the document, for policy_parse() */
	enum policy_set set;
	struct policy_resources resources;
	struct policy_ids ids;
	uint64_t capabilities; /* allowed on top of the set's own ceiling */
	struct policy_devices devices;
	const struct egress_value *egress; /* the site's list; NULL: it has none */
	struct policy_strings mount_sources, hook_directories, loggers, sysctls,
		net_devices;		       /* allowed on top of what the set allows */
	const char *delegated[POLICY_N_RULES]; /* the annotation that may set this very rule's level; NULL: none may */
	enum policy_level levels[POLICY_N_RULES];
	struct policy_limits limits;
	struct policy_audit audit;
	uint8_t digest[32]; /* SHA-256 of the file; of a built-in set: of its name and brig's version */
	char name[192];	    /* "conformant", "conformant (/etc/brig/policy.json)" */
};

/* name_or_file: what --policy got: the name of a set, or the path of a file, which has a slash in it. NULL: POLICY_FILE, or the
 * built-in set where that does not exist. A file has to be a regular one that belongs to root and that nobody else can write
 * to: it decides for others. Returns 0, or a negative errno with err set: ERROR_NOT_FOUND (with what is available),
 * ERROR_INVALID (path in the file, what was found, what is allowed), ERROR_REFUSED (its owner or mode), ERROR_SYSTEM. ret is
 * untouched on failure. */
int policy_load(const char *name_or_file, struct policy *ret, struct error *err);
/* The text of a file; docs/policy.md. Errors as above, without the file's name. */
int policy_parse(const char *text, size_t length, struct policy *ret, struct error *err);
/* How far a level lets config.json go: the greater, the less. `warn` changes what the host withholds no less than `adjust`, and is the
 * louder of the two; of the floor it lets everything through. */
int policy_level_strictness(enum policy_rule rule, enum policy_level level);
/* Each rule of policy at the stricter of its own level and that of the other. */
void policy_tighten(struct policy *policy, const struct policy *other);
void policy_done(struct policy *policy);
static inline void policy_done_cleanup(struct policy *policy)
{
	policy_done(policy);
}
/* As `brig plan` prints it; policy: NULL is the built-in one. */
const char *policy_name(const struct policy *policy);
/* policy: NULL is the built-in one. */
enum policy_set policy_set(const struct policy *policy);
/* The annotation that may loosen the rule as well, or NULL. policy: NULL is the built-in one, which delegates nothing. */
const char *policy_delegated(const struct policy *policy, enum policy_rule rule);
/* policy: NULL is the built-in one. Never POLICY_LEVEL_OF_SET. */
enum policy_level policy_level(const struct policy *policy, enum policy_rule rule);
/* policy: NULL is the built-in one, which has none. */
struct policy_limits policy_limits(const struct policy *policy);
/* The lists and numbers of the site; policy: NULL is the built-in one. */
struct policy_ids policy_ids(const struct policy *policy);
struct policy_resources policy_resources(const struct policy *policy);
struct policy_strings policy_mount_sources(const struct policy *policy);
struct policy_strings policy_hook_directories(const struct policy *policy);
/* "PROGRAM" (without arguments), "PROGRAM?KEY" (with that one, and a value), "PROGRAM?*" (with any) */
struct policy_strings policy_loggers(const struct policy *policy);
struct policy_strings policy_sysctls(const struct policy *policy);
struct policy_strings policy_net_devices(const struct policy *policy);
struct policy_devices policy_devices(const struct policy *policy);
/* NULL: the policy says nothing of where containers may connect to. */
const struct egress_value *policy_egress(const struct policy *policy);
/* The capabilities that a container may have at most; user_namespace: it has one of its own. Bit n: capability n. */
uint64_t policy_capabilities(const struct policy *policy, bool user_namespace);
/* false, and *ret untouched: no level has that name. */
bool policy_level_find(const char *text, enum policy_level *ret);
/* "enforce", "adjust", "warn", "off" */
const char *policy_level_name(enum policy_level level);
/* "rlimit-raise" */
const char *policy_rule_name(enum policy_rule rule);
/* What the one who is refused can do: "ask for no more than ..." */
const char *policy_rule_remedy(enum policy_rule rule);
