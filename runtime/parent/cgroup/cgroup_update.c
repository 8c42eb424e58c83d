/* Other limits for a group that is in use: all of them, or none. */
#include "parent/cgroup/cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "parent/cgroup/cgroup_devices.h"
#include "parent/cgroup/cgroup_file.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_systemd.h"
#include "parent/cgroup/cgroup_unit.h"

#define MEMORY_MAX ((size_t)64 * 1024 * 1024)

/* OCI memory.checkBeforeUpdate: v2 would kill at once what doesn't fit under the new limit. */
static int check_usage(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	bool v2 = cgroup->layout == HOST_CGROUP_V2;
	int64_t usage;

	if (!(resources->set & PLAN_MEMORY_CHECK) || !resources->memory_check_before_update ||
	    !(resources->set & PLAN_MEMORY_LIMIT) || resources->memory_limit <= 0)
		return 0;
	usage = cgroup_file_number(cgroup_tree_of(cgroup, CGROUP_MEMORY),
				   v2 ? "memory.current" : "memory.usage_in_bytes", 0);
	if (usage <= resources->memory_limit)
		return 0;
	return error_set(err, ERROR_STATE, EBUSY,
			 "linux.resources.memory.limit: %" PRId64 " is less than the %" PRId64
			 " bytes in use, and memory.checkBeforeUpdate is set; choose a larger limit",
			 resources->memory_limit, usage);
}

static bool contains(const char *text, pid_t pid)
{
	char line[32];
	size_t length = (size_t)snprintf(line, sizeof(line), "%d\n", (int)pid);

	for (const char *found = text; (found = strstr(found, line)); found += length)
		if (found == text || found[-1] == '\n')
			return true;
	return false;
}

/* Moves those of the group that aren't in this tree yet; *ret_moved says how many there were. */
static int move_round(struct cgroup *cgroup, unsigned tree, size_t *ret_moved, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	int fd = cgroup_tree_fd(cgroup, tree), r;
	char *there = arena ? arena_alloc(arena, 1024 * 1024) : NULL;
	char text[32];
	pid_t *pids;
	size_t n;

	if (!there)
		return error_memory(err);
	r = cgroup_pids(cgroup, arena, &pids, &n, err);
	if (r == 0 && fd_read_file_at(fd, "cgroup.procs", there, 1024 * 1024 - 1) >= 0)
		strcat(there, "\n"); /* the reader cuts the last one */
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (contains(there, pids[i]))
			continue;
		snprintf(text, sizeof(text), "%d", (int)pids[i]);
		r = fd_write_file_at(fd, "cgroup.procs", text);
		if (r == -ESRCH)
			r = 0;
		else if (r < 0)
			return error_system(err, -r, "move process %s into the %s cgroup %s", text,
					    cgroup_settings_controller_name(tree, /* v2= */ false), cgroup->path);
		else
			(*ret_moved)++;
	}
	return r;
}

static int move_processes(struct cgroup *cgroup, uint32_t trees, struct error *err)
{
	for (unsigned tree = 0; tree < CGROUP_N_CONTROLLERS; tree++) {
		size_t moved = 1;
		int r = 0;

		for (int round = 0; trees & UINT32_C(1) << tree && r == 0 && moved > 0; round++) {
			if (round == CGROUP_MOVE_ROUNDS)
				return error_set(err, ERROR_STATE, EAGAIN,
						 "the processes of the cgroup %s multiply faster than they can be moved; "
						 "pause the container first",
						 cgroup->path);
			moved = 0;
			r = move_round(cgroup, tree, &moved, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static uint32_t missing_trees(struct cgroup *cgroup, uint32_t controllers)
{
	uint32_t missing = 0;

	if (cgroup->layout == HOST_CGROUP_V2)
		return 0;
	for (unsigned tree = 0; tree < CGROUP_N_CONTROLLERS; tree++)
		if (controllers & ~cgroup->v2_controllers & UINT32_C(1) << tree && cgroup_tree_fd(cgroup, tree) < 0)
			missing |= UINT32_C(1) << tree;
	return missing;
}

/* Does the container go as a whole? systemd knows no such thing of a scope and writes 0 whenever it writes limits of memory, also when it reads
 * its units again: what the group below was shown stays. */
static bool is_killed_whole(struct cgroup *cgroup)
{
	int fd = cgroup_tree_fd(cgroup, CGROUP_TREE_V2);

	return cgroup_file_number(fd, "memory.oom.group", 0) == 1 ||
	       cgroup_file_number(fd, CGROUP_ENTRY_CONTAINER "/memory.oom.group", 0) == 1;
}

/* systemd has to know, or it writes the old values when it is told to read its units again. It writes its own idea of the new ones at
 * once, with rounded times: ours once more. */
static int tell_systemd(struct cgroup *cgroup, struct cgroup_settings *settings, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer properties = { 0 };
	bool whole = is_killed_whole(cgroup);
	int r;

	cgroup_unit_properties(settings, &properties);
	r = cgroup_systemd_set(cgroup, &properties, err);
	if (r == 0 && whole)
		(void)fd_write_file_at(cgroup_tree_fd(cgroup, CGROUP_TREE_V2), "memory.oom.group", "1");
	return r < 0 ? r : cgroup_apply(cgroup, settings, /* undo= */ false, err);
}

static int change(struct cgroup *cgroup, const struct plan_resources *resources, struct cgroup_settings *settings,
		  uint32_t controllers, struct error *err)
{
	uint32_t new_trees = missing_trees(cgroup, controllers);
	int r = controllers ? cgroup->limits->enable(cgroup, settings, controllers, err) : 0;

	if (r == 0)
		r = cgroup_apply(cgroup, settings, /* undo= */ true, err);
	if (r == 0 && cgroup->unit)
		r = tell_systemd(cgroup, settings, err);
	if (r == 0 && new_trees)
		r = move_processes(cgroup, new_trees, err);
	if (r == 0)
		r = cgroup_delegate_bound_again(cgroup, resources, err);
	/* Last: it is one step, which needs no undoing. */
	if (r == 0)
		r = cgroup->membership->devices(cgroup, resources, /* fresh= */ false, err);
	if (r == 0)
		return 0;
	cgroup_apply_undo(cgroup, settings);
	/* A new group with processes in it stays, without limits. */
	for (unsigned tree = 0; tree < CGROUP_N_CONTROLLERS; tree++)
		if (new_trees & UINT32_C(1) << tree) {
			cgroup_tree_unmake(cgroup, tree);
			cgroup->trees[tree].looked = false;
		}
	return r;
}

int cgroup_update(struct cgroup *cgroup, const struct plan_resources *resources, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(MEMORY_MAX);
	struct cgroup_settings settings;
	struct cgroup_facts facts;
	uint32_t controllers;
	int r;

	if (!cgroup_exists(cgroup))
		return error_set(err, cgroup->membership ? ERROR_NOT_FOUND : ERROR_UNSUPPORTED, ENOENT,
				 "change limits: the container has no cgroup%s",
				 cgroup->membership ? " any more"
						    : " (--cgroup-manager=disabled, or its user may make none)");
	if (!arena)
		return error_memory(err);
	r = check_usage(cgroup, resources, err);
	if (r == 0)
		r = cgroup_settings_init(&settings, resources, arena, err);
	if (r < 0)
		return r;
	cgroup_v2_find_controllers(cgroup, resources);
	cgroup->limits->facts(cgroup, resources, &facts);
	r = cgroup->limits->settings(resources, &facts, &settings, err);
	if (r < 0)
		return r;
	controllers = cgroup_settings_controllers(&settings);
	if (cgroup->layout == HOST_CGROUP_V1 && resources->n_devices > 0 &&
	    !cgroup_devices_program_allows_all(resources->devices, resources->n_devices))
		controllers |= UINT32_C(1) << CGROUP_DEVICES;
	return change(cgroup, resources, &settings, controllers, err);
}
