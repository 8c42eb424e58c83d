#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_systemd.h"
#include "parent/cgroup/egress.h"

#define SETTINGS_MEMORY_MAX ((size_t)4 * 1024 * 1024)

struct cgroup *cgroup_allocate(enum plan_cgroup_manager manager, const char *path)
{
	size_t size = strlen(path) + 1;
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup) + size);

	if (!cgroup)
		return NULL;
	cgroup->manager = manager;
	cgroup->entry_fd = cgroup->oom_log_fd = -EBADF;
	memcpy(cgroup->path, path, size);
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++)
		cgroup->trees[tree].fd = cgroup->trees[tree].root_fd = -EBADF;
	return cgroup;
}

static int find_drivers(struct cgroup *cgroup, struct error *err)
{
	cgroup->layout = cgroup_layout();
	if (cgroup->layout == HOST_CGROUP_NONE)
		return error_set(err, ERROR_UNSUPPORTED, ENOENT,
				 "no cgroups are mounted at " CGROUP_ROOT
				 "; mount them there (mount -t cgroup2 cgroup2 " CGROUP_ROOT
				 "), or use --cgroup-manager=disabled");
	cgroup->membership = cgroup->layout == HOST_CGROUP_V1 ? &cgroup_v1_driver : &cgroup_v2_driver;
	cgroup->limits = cgroup->layout == HOST_CGROUP_V2 ? &cgroup_v2_driver : &cgroup_v1_driver;
	return 0;
}

static int new_group(enum plan_cgroup_manager manager, const char *path, struct cgroup **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int r = 0;

	if (manager == PLAN_CGROUP_FS)
		r = cgroup_tree_check_path(path, err);
	else if (manager == PLAN_CGROUP_SYSTEMD)
		r = cgroup_systemd_find(path, &cgroup, err);
	if (r < 0)
		return r;
	if (!cgroup)
		cgroup = cgroup_allocate(manager, path ?: "");
	if (!cgroup)
		return error_memory(err);
	if (manager != PLAN_CGROUP_DISABLED)
		r = find_drivers(cgroup, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&cgroup);
	return 0;
}

void cgroup_free(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	cgroup_systemd_let_go(cgroup);
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++) {
		close_and_reset(&cgroup->trees[tree].fd);
		close_and_reset(&cgroup->trees[tree].root_fd);
	}
	close_and_reset(&cgroup->entry_fd);
	close_and_reset(&cgroup->oom_log_fd);
	free(cgroup->helper);
	free(cgroup->unit);
	arena_free(cgroup->arena);
	free(cgroup);
}

/* A plan without limits makes no arena and no list: that is the shortest way to a container's start. */
static bool asks_for_settings(const struct plan_resources *resources)
{
	return resources->set || resources->cpus || resources->mems || resources->n_throttles ||
	       resources->n_hugepages || resources->n_rdma || resources->n_net_priorities || resources->n_unified;
}

/* What the limits need of the trees is made; they themselves are kept for cgroup_limit(). */
static int enable_controllers(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	struct cgroup_facts facts = CGROUP_FACTS_NEW;
	uint32_t controllers;
	int r;

	if (!asks_for_settings(resources))
		return 0;
	cgroup->arena = arena_new(SETTINGS_MEMORY_MAX);
	if (!cgroup->arena)
		return error_memory(err);
	cgroup_v2_find_controllers(cgroup, resources);
	facts.v2_controllers = cgroup->v2_controllers;
	r = cgroup_settings_init(&cgroup->settings, resources, cgroup->arena, err);
	if (r == 0)
		r = cgroup->limits->settings(resources, &facts, &cgroup->settings, err);
	if (r < 0)
		return r;
	controllers = cgroup_settings_controllers(&cgroup->settings);
	return controllers ? cgroup->limits->enable(cgroup, &cgroup->settings, controllers, err) : 0;
}

/* v1 has no tree for membership alone: the freezer holds the processes still, pids counts them. */
static int make_v1_membership(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	static const struct cgroup_settings nothing = { 0 };
	int r = cgroup_tree_make(cgroup, CGROUP_FREEZER, err);

	if (r == 0 || r == -ENOENT)
		r = cgroup_tree_make(cgroup, CGROUP_PIDS, err);
	if (r == -ENOENT && cgroup_tree_fd(cgroup, CGROUP_FREEZER) >= 0)
		r = 0;
	if (r == 0 && !cgroup_devices_program_allows_all(resources->devices, resources->n_devices))
		r = cgroup->limits->enable(cgroup, &nothing, UINT32_C(1) << CGROUP_DEVICES, err);
	return r;
}

/* v1 has a tree for each controller. What somebody allows a group that ours is in, a pod's say, holds (and is counted) only for
 * those processes that are below it in the controller's own tree, also where ours has no limit there. */
static int obey_parents(struct cgroup *cgroup, struct error *err)
{
	static const enum cgroup_controller limiting[] = { CGROUP_MEMORY, CGROUP_CPU, CGROUP_CPUACCT, CGROUP_PIDS,
							   CGROUP_CPUSET, CGROUP_IO,  CGROUP_HUGETLB };
	static const struct cgroup_settings nothing = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(limiting); i++) {
		int r = 0;

		if (cgroup_tree_has_parent(cgroup, limiting[i]))
			r = cgroup->limits->enable(cgroup, &nothing, UINT32_C(1) << limiting[i], err);
		/* Where we may not make groups we are not in that parent's, nor can we get there. */
		if (r < 0 && r != -EACCES && r != -EPERM && r != -EROFS)
			return r;
	}
	return 0;
}

/* One that is there, or a parent of it, may be frozen: the container would stop before its first instruction. Whoever froze it has to
 * thaw it (OCI config-linux.md "Cgroups Path"). */
static int check_thawed(struct cgroup *cgroup, struct error *err)
{
	if (!cgroup_is_frozen(cgroup))
		return 0;
	return error_set(err, ERROR_STATE, EBUSY,
			 "container's cgroup unexpectedly frozen: linux.cgroupsPath: %s; thaw it (echo %s) or its parent, "
			 "remove it, or choose another path",
			 cgroup->path, cgroup->layout == HOST_CGROUP_V1 ? "THAWED > freezer.state" : "0 > cgroup.freeze");
}

/* In this order: the group (empty, or refused), whether it is thawed, then the controllers of its limits, all before a process is in
 * it. */
static int fill(struct cgroup *cgroup, const struct plan_cgroup *plan, struct error *err)
{
	int r;

	if (cgroup->unit)
		r = cgroup_systemd_start(cgroup, plan, err);
	else if (cgroup->layout == HOST_CGROUP_V1)
		r = make_v1_membership(cgroup, &plan->resources, err);
	else
		r = cgroup_tree_make(cgroup, CGROUP_TREE_V2, err);
	if (r < 0)
		return r;
	if (cgroup->trees[CGROUP_TREE_V2].reused || cgroup->trees[CGROUP_FREEZER].reused)
		r = check_thawed(cgroup, err);
	if (r == 0 && cgroup->trees[CGROUP_TREE_V2].reused)
		egress_remove(cgroup->trees[CGROUP_TREE_V2].fd);
	if (r == 0 && (cgroup->layout == HOST_CGROUP_V1 || cgroup->layout == HOST_CGROUP_HYBRID))
		r = obey_parents(cgroup, err);
	return r < 0 ? r : enable_controllers(cgroup, &plan->resources, err);
}

void cgroup_unmake_parents(struct cgroup *cgroup)
{
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++)
		cgroup_tree_unmake(cgroup, tree);
}

static void unmake(struct cgroup *cgroup)
{
	struct error ignored;

	cgroup_systemd_let_go(cgroup);
	if (cgroup->unit && cgroup->trees[CGROUP_TREE_V2].fd >= 0)
		(void)cgroup_systemd_stop(cgroup, &ignored);
	cgroup_unmake_parents(cgroup);
}

int cgroup_check_unused(const struct plan_cgroup *plan, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int r = new_group(plan->manager, plan->path, &cgroup, err);

	if (r < 0 || !cgroup->membership)
		return r;
	if (cgroup->unit)
		r = cgroup_systemd_check_unused(cgroup, err);
	else if (cgroup->layout != HOST_CGROUP_V1)
		r = cgroup_tree_check_unused(cgroup, CGROUP_TREE_V2, err);
	for (unsigned tree = 0; cgroup->layout == HOST_CGROUP_V1 && r == 0 && tree < CGROUP_N_CONTROLLERS; tree++)
		r = cgroup_tree_check_unused(cgroup, tree, err);
	/* Without a directory in the v2 tree, where there is one, nothing can be frozen: the v1 trees need not be looked at. */
	if (r < 0 || (cgroup->layout != HOST_CGROUP_V1 && cgroup_tree_fd(cgroup, CGROUP_TREE_V2) < 0))
		return r;
	return check_thawed(cgroup, err);
}

int cgroup_make(const struct plan_cgroup *plan, struct cgroup **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int r = new_group(plan->manager, plan->path, &cgroup, err);

	if (r < 0)
		return r;
	/* Only what the plan needs is made; what else may be there by that name is not ours. */
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++)
		cgroup->trees[tree].looked = true;
	if (plan->manager != PLAN_CGROUP_DISABLED)
		r = fill(cgroup, plan, err);
	if (r < 0) {
		unmake(cgroup);
		return r;
	}
	*ret = steal_ptr(&cgroup);
	return 0;
}

int cgroup_limit(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	bool fresh = !cgroup->trees[CGROUP_TREE_V2].reused && !cgroup->trees[CGROUP_DEVICES].reused;
	int r = cgroup_apply(cgroup, &cgroup->settings, /* undo= */ false, err);

	if (r == 0 && cgroup->membership)
		r = cgroup->membership->devices(cgroup, resources, fresh, err);
	if (r == 0 && cgroup->unit)
		r = cgroup_systemd_make_room(cgroup, resources, err);
	return r;
}

int cgroup_create(const struct plan_cgroup *plan, struct cgroup **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int r = cgroup_make(plan, &cgroup, err);

	if (r == 0)
		r = cgroup_limit(cgroup, &plan->resources, err);
	if (r < 0) {
		if (cgroup)
			unmake(cgroup);
		return r;
	}
	*ret = steal_ptr(&cgroup);
	return 0;
}

int cgroup_release(struct cgroup *cgroup, struct error *err)
{
	return cgroup->unit ? cgroup_systemd_release(cgroup, err) : 0;
}

int cgroup_account(struct cgroup *cgroup, struct error *err)
{
	static const enum cgroup_controller counters[] = { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPUACCT };
	/* Every v2 group counts processor time, also without controllers. */
	size_t n = cgroup->layout == HOST_CGROUP_HYBRID ? 2 : ARRAY_SIZE(counters);

	if (cgroup->layout != HOST_CGROUP_V1 && cgroup->layout != HOST_CGROUP_HYBRID)
		return 0;
	for (size_t i = 0; i < n; i++) {
		int r = cgroup_tree_fd(cgroup, counters[i]) >= 0 ? 0 : cgroup_tree_make(cgroup, counters[i], err);

		/* Not mounted, or not ours to use: nobody can count it here, unless the v2 tree does. */
		if (r < 0 && r != -ENOENT && r != -EACCES && r != -EPERM && r != -EROFS)
			return r;
	}
	return 0;
}

int cgroup_open(enum plan_cgroup_manager manager, const char *path, struct cgroup **ret, struct error *err)
{
	struct cgroup *cgroup;
	int r = new_group(manager, path, &cgroup, err);

	if (r < 0)
		return r;
	/* v1's are looked for when something needs them. */
	(void)cgroup_tree_fd(cgroup, CGROUP_TREE_V2);
	*ret = cgroup;
	return 0;
}

/* Where a hierarchy lacks the group below, the parent's limits there still have to hold for who joins. */
static void fall_back(struct cgroup *cgroup, struct cgroup *parent)
{
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++) {
		int fd = cgroup_tree_fd(parent, tree);

		if (fd >= 0 && cgroup_tree_fd(cgroup, tree) < 0)
			cgroup->trees[tree].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
}

int cgroup_open_below(struct cgroup *parent, const char *path, struct cgroup **ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	char whole[2 * CGROUP_PATH_MAX];
	int r;

	path += path[0] == '/';
	if (path[0] && strlen(path) < CGROUP_PATH_MAX)
		r = cgroup_tree_check_path(path, err);
	else
		r = path[0] ? error_invalid(err, "--cgroup: the path is longer than %d bytes", CGROUP_PATH_MAX) : 0;
	if (r < 0)
		return error_prefix(err, "--cgroup");
	snprintf(whole, sizeof(whole), "%s%s%s", parent->path, path[0] ? "/" : "", path);
	/* By its place in the tree, whoever made it. */
	r = cgroup_open(parent->unit ? PLAN_CGROUP_FS : parent->manager, whole, &cgroup, err);
	if (r < 0)
		return r;
	if (parent->membership && !cgroup_exists(cgroup))
		return error_set(
			err, ERROR_NOT_FOUND, ENOENT,
			"--cgroup: the container has no cgroup \"%s\" below its own; make it first, or leave the option "
			"out",
			path);
	fall_back(cgroup, parent);
	*ret = steal_ptr(&cgroup);
	return 0;
}

bool cgroup_exists(struct cgroup *cgroup)
{
	return cgroup->membership && cgroup_tree_membership_fd(cgroup) >= 0;
}

const char *cgroup_path(const struct cgroup *cgroup)
{
	return cgroup->path;
}

int cgroup_clone_fd(const struct cgroup *cgroup)
{
	return cgroup->entry_fd >= 0 ? cgroup->entry_fd : cgroup->trees[CGROUP_TREE_V2].fd;
}

/* By number: the kernel takes nothing else. It is that of a process which we have cloned, and which nobody has reaped yet. */
int cgroup_join(struct cgroup *cgroup, pid_t pid, bool cloned, struct error *err)
{
	uint32_t possible = cgroup_tree_possible(cgroup);
	bool joined = cloned || !cgroup->membership;
	char text[32], root[64];

	snprintf(text, sizeof(text), "%d", (int)pid);
	for (unsigned tree = 0; tree < CGROUP_N_TREES; tree++) {
		int fd, r;

		if (!(possible & UINT32_C(1) << tree) || (tree == CGROUP_TREE_V2 && cloned))
			continue;
		fd = tree == CGROUP_TREE_V2 ? cgroup_clone_fd(cgroup) : cgroup_tree_fd(cgroup, tree);
		if (fd < 0)
			continue;
		r = fd_write_file_at(fd, "cgroup.procs", text);
		if (r < 0) {
			cgroup_tree_root(cgroup, tree, root);
			return error_system(err, -r, "move process %s into the cgroup %s/%s", text, root, cgroup->path);
		}
		joined = true;
	}
	if (!joined)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "the container's cgroup %s is gone", cgroup->path);
	return 0;
}

size_t cgroup_views(struct cgroup *cgroup, struct cgroup_view views[static CGROUP_VIEWS_MAX])
{
	uint32_t possible = cgroup_tree_possible(cgroup);
	size_t n = 0;

	_Static_assert(CGROUP_VIEWS_MAX >= CGROUP_N_CONTROLLERS, "one for each v1 tree");
	for (unsigned tree = 0; tree < CGROUP_N_CONTROLLERS; tree++) {
		int fd = possible & UINT32_C(1) << tree ? cgroup_tree_fd(cgroup, tree) : -EBADF;

		if (fd >= 0)
			views[n++] = (struct cgroup_view){ cgroup_settings_controller_name(tree, /* v2= */ false), fd };
	}
	return n;
}

int cgroup_open_tasks(struct cgroup *cgroup, struct cgroup_view tasks[static CGROUP_VIEWS_MAX], struct error *err)
{
	struct cgroup_view views[CGROUP_VIEWS_MAX];
	size_t n = cgroup_views(cgroup, views);

	for (size_t i = 0; i < n; i++) {
		int fd = openat(views[i].fd, "tasks", O_WRONLY | O_CLOEXEC);

		if (fd < 0) {
			error_system(err, errno, "open tasks of the %s cgroup %s", views[i].name, cgroup->path);
			while (i-- > 0)
				close(tasks[i].fd);
			return -err->code;
		}
		tasks[i] = (struct cgroup_view){ views[i].name, fd };
	}
	return (int)n;
}

static int check_usable(struct cgroup *cgroup, const char *what, struct error *err)
{
	if (!cgroup->membership)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "%s: the container has no cgroup (--cgroup-manager=disabled, or its user may make none)",
				 what);
	if (!cgroup_exists(cgroup))
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "%s: the container's cgroup %s is gone", what,
				 cgroup->path);
	return 0;
}

int cgroup_freeze(struct cgroup *cgroup, bool freeze, int timeout_ms, struct error *err)
{
	int r = check_usable(cgroup, freeze ? "freeze" : "thaw", err);

	return r < 0 ? r : cgroup->membership->freeze(cgroup, freeze, timeout_ms, err);
}

bool cgroup_is_frozen(struct cgroup *cgroup)
{
	return cgroup_exists(cgroup) && cgroup->membership->is_frozen(cgroup);
}

int cgroup_kill(struct cgroup *cgroup, struct error *err)
{
	int r = check_usable(cgroup, "kill all processes", err);

	if (r == 0)
		r = cgroup->membership->kill(cgroup, err);
	/* systemd removes a scope as soon as its last process has ended, which may be just now. */
	return cgroup->unit && (r == -ENOENT || r == -ENODEV) ? 0 : r;
}
