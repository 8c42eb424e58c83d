#include "container/brig_group.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "container/metrics/metrics.h"
#include "container/store.h"
#include "container/stuck.h"
#include "parent/cgroup/cgroup.h"

#define STUCK_ARENA ((size_t)64 * 1024 * 1024)

struct brig_group {
	struct cgroup *cgroup;
};

static int open_path(enum plan_cgroup_manager manager, const char *path, struct brig_group **ret, struct error *err)
{
	AUTO_FREE struct brig_group *group = calloc(1, sizeof(*group));
	int rc;

	if (!group)
		return error_memory(err);
	rc = cgroup_open(manager, path, &group->cgroup, err);
	if (rc < 0)
		return rc;
	*ret = steal_ptr(&group);
	return 0;
}

int brig_group_open(const struct brig_process *process, struct brig_group **ret, struct error *err)
{
	return open_path(process->cgroup_manager, process->cgroup_path, ret, err);
}

int brig_group_open_parent(const char *parent, struct brig_group **ret, struct error *err)
{
	const char *name = parent + strspn(parent, "/");
	char path[BRIG_CGROUP_PATH_MAX];

	if (cgroup_unit_slice_path(name, path, sizeof(path)) == 0)
		name = path;
	return open_path(PLAN_CGROUP_FS, name, ret, err);
}

void brig_group_free(struct brig_group *group)
{
	if (!group)
		return;
	cgroup_free(group->cgroup);
	free(group);
}

/* The id becomes a directory's name: checked as a container's is. */
static int entry_of(const char *exec_id, char entry[static NAME_MAX + 32], struct error *err)
{
	int rc = store_check_id(exec_id, err);

	if (rc < 0)
		return error_prefix(err, "the id of an exec");
	snprintf(entry, NAME_MAX + 32, "%s%s", CGROUP_ENTRY_EXECS, exec_id);
	return 0;
}

/* Does something to the whole, or to the group of one exec. Where that is gone, or never was (no v2 tree), nobody is in it. */
static int with_group(struct brig_group *group, const char *exec_id,
		      int (*act)(struct cgroup *cgroup, void *data, struct error *err), void *data, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *one = NULL;
	char entry[NAME_MAX + 32];
	struct error missing;
	int rc;

	if (!exec_id)
		return act(group->cgroup, data, err);
	rc = entry_of(exec_id, entry, err);
	if (rc < 0)
		return rc;
	rc = cgroup_open_group(group->cgroup, entry, &one, &missing);
	if (rc < 0 && missing.kind == ERROR_NOT_FOUND)
		return 0;
	if (rc < 0) {
		if (err)
			*err = missing;
		return rc;
	}
	return act(one, data, err);
}

static int kill_group(struct cgroup *cgroup, void *data, struct error *err)
{
	(void)data;
	return cgroup_kill(cgroup, err);
}

static int signal_group(struct cgroup *cgroup, void *data, struct error *err)
{
	return cgroup_signal(cgroup, *(int *)data, err);
}

struct listing {
	struct arena *arena;
	struct brig_pids pids;
};

static int list_group(struct cgroup *cgroup, void *data, struct error *err)
{
	struct listing *listing = data;

	return cgroup_pids(cgroup, listing->arena, &listing->pids.list, &listing->pids.n, err);
}

int brig_group_kill(struct brig_group *group, const char *exec_id, struct error *err)
{
	return with_group(group, exec_id, kill_group, NULL, err);
}

int brig_group_signal(struct brig_group *group, const char *exec_id, int signal, struct error *err)
{
	return with_group(group, exec_id, signal_group, &signal, err);
}

int brig_group_processes(struct brig_group *group, const char *exec_id, struct arena *arena, struct brig_pids *ret,
			 struct error *err)
{
	struct listing listing = { .arena = arena };
	int rc = with_group(group, exec_id, list_group, &listing, err);

	if (rc < 0)
		return rc;
	*ret = listing.pids;
	return 0;
}

bool brig_group_is_frozen(struct brig_group *group)
{
	return cgroup_is_frozen(group->cgroup);
}

int brig_group_release(struct brig_group *group, const char *exec_id, struct error *err)
{
	char entry[NAME_MAX + 32];
	int rc = entry_of(exec_id, entry, err);

	return rc < 0 ? rc : cgroup_release_entry(group->cgroup, entry, CGROUP_ENTRY_CONTAINER, err);
}

/* For a person who wonders why a pod does not go away: what each process waits for in the kernel. */
int brig_group_stuck(struct brig_group *group, struct buffer *text, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(STUCK_ARENA);
	struct brig_pids pids;
	int rc;

	if (!arena)
		return error_memory(err);
	rc = brig_group_processes(group, /* exec_id= */ NULL, arena, &pids, err);
	for (size_t i = 0; rc >= 0 && i < pids.n; i++)
		stuck_describe(pids.list[i], text);
	/* "" rather than nothing at all. */
	buffer_append_text(text, "");
	return rc < 0 ? rc : text->failed ? error_memory(err) : 0;
}

int brig_group_oom_fd(struct brig_group *group, uint32_t *ret_events, struct error *err)
{
	int fd = cgroup_oom_fd(group->cgroup, err);

	if (fd < 0)
		return fd;
	/* An inotify instance, or v1's eventfd. */
	*ret_events = EPOLLIN;
	return fd;
}

void brig_group_oom_acknowledge(int fd)
{
	cgroup_oom_clear(fd);
}

uint64_t brig_group_oom_count(struct brig_group *group)
{
	return cgroup_oom_count(group->cgroup);
}

int brig_group_metrics(struct brig_group *group, struct arena *arena, struct brig_metrics *ret, struct error *err)
{
	return metrics_read(group->cgroup, arena, ret, err);
}
