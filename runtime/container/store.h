/* The state directory: one directory per container under the root, locked while it changes, each file replaced atomically. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "container/brig.h"

/* Where a container's records go, and what each of them says: as the policy had it at create. */
struct state_audit {
	const char *path;
	uint64_t max_bytes;
	uint32_t keep;
	bool syslog, journald, required, redact_args;
	const char *policy, *policy_digest, *plan_digest; /* the policy's name; SHA-256 in hexadecimal */
};

/* What the container's file system is locked with (plan_landlock), for each exec to be locked the same way. */
struct state_landlock {
	const char *const *places;
	size_t n_places;
};

/* state.json: what later invocations need to know. */
struct state {
	const char *oci_version, *id, *bundle, *rootfs, *created, *owner;
	int pid;		 /* 0: not cloned yet */
	uint64_t pid_start_time; /* field 22 of /proc/PID/stat: tells the process from a later one with its number */
	const char *cgroup_path;
	uint32_t cgroup_manager; /* enum plan_cgroup_manager */
	bool split_cgroup;	 /* a supervisor's: processes live in groups below it, see cgroup_make_entry */
	bool user_namespace;	 /* the container has one of its own, or joined one */
	bool pid_namespace;	 /* one of its own: the end of its first process ends all others */
	bool late_work;		 /* start or delete need the plan once more: poststart and poststop hooks, a listener */
	bool listener_held;	 /* plan_seccomp.listener_held: the policy's, and not in config.json */
	uint32_t ids_first, ids_size; /* the host's ids that the floor gave to it; size 0: none */
	uint64_t added_namespaces;    /* CLONE_NEW* of those that the floor added */
	const struct json_pair *annotations;
	size_t n_annotations;
	const struct state_audit *audit;       /* NULL: it has no audit trail */
	const struct state_landlock *landlock; /* NULL: none */
	const char *policy, *policy_name;      /* the document that it was made under */
	const char *const *hooks_left_out;     /* by rule hook: "hooks.poststop[0]" */
	size_t n_hooks_left_out;
};

struct container {
	int root_fd, dir_fd;
	struct arena *arena; /* owns state's strings */
	struct state state;
	bool is_locked; /* by us, through dir_fd */
};

enum store_lock {
	STORE_UNLOCKED,
	STORE_LOCKED,
	STORE_LOCKED_FOR_REMOVAL, /* also where state.json can't be read: what store_mark_cgroup left has to do */
};

/* Checks an id: [a-zA-Z0-9_+-][a-zA-Z0-9_+.-]*, at most BRIG_ID_MAX. */
int store_check_id(const char *id, struct error *err);
/* Opens the root directory, making it (0700) where `make`. */
int store_open_root(const struct brig *brig, bool make, struct error *err);
/* Reserves id: makes its directory, locked. ERROR_EXISTS where there is one. arena: see store_done. */
int store_reserve(const struct brig *brig, const char *id, struct container *ret, struct error *err);
/* Opens a container and reads its state. ERROR_NOT_FOUND: no such container. A lock that somebody holds is waited for, for
 * 10 seconds at most (ERROR_TIMEOUT). */
int store_open(const struct brig *brig, const char *id, enum store_lock lock, struct container *ret, struct error *err);
/* A container's directory alone, locked at once or not at all (EWOULDBLOCK); state is not read, and there is no arena. Returns 0 or a
 * negative errno. */
int store_lock_now(const struct brig *brig, const char *id, struct container *ret);
/* Is a brig at work on it (creating, starting, deleting)? */
bool store_is_busy(const struct container *container);
/* Records where the container's cgroup will be, before anything is made, and after cgroup_check_unused: with that, what a killed brig
 * leaves can be found and removed, and nobody else's. A symbolic link: one system call, all or nothing; state.json follows while the
 * container is set up. */
int store_mark_cgroup(const struct container *container, struct error *err);
void store_unlock(struct container *container);
/* What store_unlock let go, as store_open has it. ERROR_NOT_FOUND: somebody has removed it meanwhile. */
int store_lock_again(struct container *container, struct error *err);
int store_save(const struct container *container, struct error *err);
/* Removes the directory with all that is in it. */
int store_remove(struct container *container, struct error *err);
void store_done(struct container *container);
/* The names of all containers, in the arena. */
int store_list(const struct brig *brig, struct arena *arena, const char ***ret, size_t *ret_n, struct error *err);
/* The directory of compiled filters below root_fd, or -EBADF. */
int store_open_filter_cache(int root_fd);

/* Beside state.json: the config.json as it was at create; the socket on which a created container waits; store_mark_cgroup's
 * link "MANAGER:PATH". */
#define STORE_CONFIG "config.json"
#define STORE_START_SOCKET "start"
#define STORE_NEW_SOCKET "start.new" /* its name as long as create is at work */
#define STORE_CGROUP "cgroup"
#define STORE_ROOTFS "rootfs" /* rootfs_mark.h's link to the directory */
