/* What the files of this folder share: an opened group, the trees that hold it, and the table of drivers. Not for others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/cgroup_settings.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_HYBRID_ROOT CGROUP_ROOT "/unified"
#define CGROUP_PATH_MAX 3072   /* bytes; PATH_MAX less room for the root and a file's name */
#define CGROUP_DEPTH_MAX 32    /* components of a path, and levels of groups below a container's own */
#define CGROUP_GROUPS_MAX 8192 /* groups that one removal or listing walks through */
#define CGROUP_PIDS_MAX (4 * 1024 * 1024)

/* One per v1 controller, in the order of enum cgroup_controller, and the v2 tree. */
#define CGROUP_TREE_V2 CGROUP_N_CONTROLLERS
#define CGROUP_N_TREES (CGROUP_N_CONTROLLERS + 1)

struct cgroup_tree {
	int root_fd;	 /* of the mount, or -EBADF before it is looked at and where it isn't mounted */
	int fd;		 /* the group's directory, or -EBADF */
	bool looked;	 /* fd says the truth */
	bool reused;	 /* create found it there */
	unsigned n_made; /* trailing components of the path that we made: what to remove when creation fails */
};

struct cgroup_driver;
struct cgroup_helper;
struct cgroup_unit;

struct cgroup {
	enum plan_cgroup_manager manager;
	enum host_cgroup_layout layout;
	const struct cgroup_driver *membership; /* who knows, freezes and kills the processes; NULL: nobody */
	const struct cgroup_driver *limits;	/* who sets limits and counts */
	int entry_fd; /* of the group below in the v2 tree where processes go, or -EBADF: into the group itself */
	uint32_t v2_controllers; /* hybrid: those that the v2 tree has, as bits; known where a setting may need them */
	struct cgroup_settings settings; /* what cgroup_limit() writes, after cgroup_make(); in the arena */
	struct arena *arena;
	struct cgroup_tree trees[CGROUP_N_TREES];
	struct cgroup_unit *unit;     /* systemd's name for the group, where it is the manager; else NULL */
	struct cgroup_helper *helper; /* keeps a new scope alive; else NULL */
	int oom_log_fd;		      /* of a scope that is watched: see cgroup_oom_log.h; else -EBADF */
	uint64_t n_oom_counted, n_oom_logged;
	char path[];
};

/* What differs between the versions. A hybrid host's group has v2 for membership and v1 for limits. */
struct cgroup_driver {
	const char *name;
	int (*settings)(const struct plan_resources *resources, const struct cgroup_facts *facts,
			struct cgroup_settings *settings, struct error *err);
	void (*facts)(struct cgroup *cgroup, const struct plan_resources *resources, struct cgroup_facts *ret);
	int (*enable)(struct cgroup *cgroup, const struct cgroup_settings *settings, uint32_t controllers,
		      struct error *err);
	int (*devices)(struct cgroup *cgroup, const struct plan_resources *resources, bool fresh, struct error *err);
	int (*freeze)(struct cgroup *cgroup, bool freeze, int timeout_ms, struct error *err);
	bool (*is_frozen)(struct cgroup *cgroup);
	int (*kill)(struct cgroup *cgroup, struct error *err);
	void (*statistics)(struct cgroup *cgroup, struct json_writer *writer);
	int (*oom_fd)(struct cgroup *cgroup, struct error *err);
	uint64_t (*oom_count)(struct cgroup *cgroup);
};

extern const struct cgroup_driver cgroup_v2_driver;
extern const struct cgroup_driver cgroup_v1_driver;

/* A few controllers are v2's also on a hybrid host: finds out which, where resources ask for one of those. */
void cgroup_v2_find_controllers(struct cgroup *cgroup, const struct plan_resources *resources);

/* ---- cgroup.c ---- */

/* A group without anything opened; for cgroup_free. NULL: no memory. */
struct cgroup *cgroup_allocate(enum plan_cgroup_manager manager, const char *path);

/* ---- cgroup_delegate.c ---- */

/* After an update: the bounds of cgroup_delegate() where resources have raised them and the group was given away. */
int cgroup_delegate_bound_again(const struct cgroup *cgroup, const struct plan_resources *resources, struct error *err);

/* ---- cgroup_destroy.c ---- */

/* Removes root_fd/path with all groups below it; 0 also where it is gone. -EBUSY: processes are in it. */
int cgroup_remove_tree(int root_fd, const char *path);

/* ---- cgroup_pids.c ---- */

/* The number of rounds after which the processes of a group multiply faster than they can be moved: those that are forked while others are
 * moved are moved in the next one. */
#define CGROUP_MOVE_ROUNDS 64
/* The processes in the directory and below. */
int cgroup_pids_below(int fd, struct arena *arena, pid_t **ret, size_t *ret_n);

/* ---- cgroup_tree.c: directories ---- */

/* Is it a path that may be joined to a tree's root: relative, without empty, "." and ".." components, not too deep? */
int cgroup_tree_check_path(const char *path, struct error *err);
/* Opens root_fd/path, never through a link or another mount. A descriptor or a negative errno. */
int cgroup_tree_open_at(int root_fd, const char *path);
/* The group's directory in that tree, opened at the first question. A descriptor that stays ours, or -ENOENT. */
int cgroup_tree_fd(struct cgroup *cgroup, unsigned tree);
/* The directory whose files hold a controller's limits: of the v2 tree, or of the controller's own. */
int cgroup_tree_of(struct cgroup *cgroup, enum cgroup_controller controller);
/* The tree that answers for membership: v2, else the freezer, pids, or any other v1 tree. A descriptor or -ENOENT. */
int cgroup_tree_membership_fd(struct cgroup *cgroup);
/* Whether the group that ours is to be in is there already, in that tree: somebody made it, and may have set limits to it. */
bool cgroup_tree_has_parent(struct cgroup *cgroup, unsigned tree);
/* Makes the group in that tree, parents too; an existing one without processes is taken over. */
int cgroup_tree_make(struct cgroup *cgroup, unsigned tree, struct error *err);
/* ERROR_EXISTS: the group is there, and processes are in it. */
int cgroup_tree_check_unused(struct cgroup *cgroup, unsigned tree, struct error *err);
/* Removes what cgroup_tree_make made there. */
void cgroup_tree_unmake(struct cgroup *cgroup, unsigned tree);
/* After the group is gone: its parents that cgroup_tree_make made for groups that another has in other trees only, where they are empty. */
void cgroup_tree_prune(struct cgroup *cgroup, unsigned tree);
/* The trees that the group's layout has at all, as bits. */
uint32_t cgroup_tree_possible(const struct cgroup *cgroup);
/* "/sys/fs/cgroup/memory" */
void cgroup_tree_root(const struct cgroup *cgroup, unsigned tree, char path[64]);

/* ---- cgroup_walk.c ---- */

/* Calls visit on the directory and each one below it, children before parents; stops at the first failure (a negative errno). */
int cgroup_walk(int fd, int (*visit)(int parent_fd, const char *name, int fd, void *data), void *data);

/* ---- cgroup_apply.c ---- */

/* Writes the settings and reads each back. With undo all of them are put back on failure; without, the caller removes the
 * group. */
int cgroup_apply(struct cgroup *cgroup, struct cgroup_settings *settings, bool undo, struct error *err);
/* Puts the values back that cgroup_apply found. */
void cgroup_apply_undo(struct cgroup *cgroup, struct cgroup_settings *settings);
