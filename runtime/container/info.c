/* What there is: state, list and ps. Waits for no lock. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "container/brig.h"
#include "container/status.h"
#include "container/store.h"
#include "parent/cgroup/cgroup.h"

static const char *copy(struct arena *arena, const char *text)
{
	return arena_strdup(arena, text ?: "");
}

static int copy_annotations(const struct state *state, struct arena *arena, struct brig_info *ret)
{
	struct brig_annotation *annotations = arena_array_of(arena, state->n_annotations, struct brig_annotation);

	if (!annotations)
		return -ENOMEM;
	for (size_t i = 0; i < state->n_annotations; i++) {
		annotations[i].name = copy(arena, state->annotations[i].name);
		annotations[i].value = copy(arena, state->annotations[i].value);
		if (!annotations[i].name || !annotations[i].value)
			return -ENOMEM;
	}
	ret->annotations = annotations;
	ret->n_annotations = state->n_annotations;
	return 0;
}

/* Copies: the container's own arena ends with the call, the caller's goes on. */
static int describe(const struct container *container, struct arena *arena, struct brig_info *ret, struct error *err)
{
	const struct state *state = &container->state;
	struct brig_info info = {
		.oci_version = copy(arena, state->oci_version ?: "1.0.0"),
		.id = copy(arena, state->id),
		.bundle = copy(arena, state->bundle),
		.rootfs = copy(arena, state->rootfs),
		.created = copy(arena, state->created),
		.owner = copy(arena, state->owner),
		.status = status_of(container, NULL),
	};

	info.pid = info.status == BRIG_STOPPED || info.status == BRIG_CREATING ? 0 : state->pid;
	if (!info.oci_version || !info.id || !info.bundle || !info.rootfs || !info.created || !info.owner ||
	    copy_annotations(state, arena, &info) < 0)
		return error_memory(err);
	*ret = info;
	return 0;
}

int brig_state(const struct brig *brig, const char *id, struct arena *arena, struct brig_info *ret, struct error *err)
{
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = describe(&container, arena, ret, err);
	store_done(&container);
	return rc;
}

/* One that went away between the list and the look is no error; one that can't be read hides none of the others. */
int brig_list(const struct brig *brig, struct arena *arena, struct brig_info **ret, size_t *ret_n, struct error *err)
{
	struct brig_info *infos;
	const char **ids = NULL;
	size_t n_ids = 0, n = 0;
	int rc = store_list(brig, arena, &ids, &n_ids, err);

	if (rc < 0)
		return rc;
	infos = arena_array_of(arena, n_ids, struct brig_info);
	if (!infos)
		return error_memory(err);
	for (size_t i = 0; i < n_ids; i++) {
		rc = brig_state(brig, ids[i], arena, &infos[n], err);
		if (rc >= 0)
			n++;
		else if (err->kind != ERROR_NOT_FOUND)
			log_warning("list: container %s is left out: %s", ids[i], err->message);
	}
	*ret = infos;
	*ret_n = n;
	return 0;
}

static int only_first(const struct container *container, struct arena *arena, struct brig_pids *ret, struct error *err)
{
	pid_t *pids = arena_new_of(arena, pid_t);

	if (!pids)
		return error_memory(err);
	pids[0] = container->state.pid;
	ret->list = pids;
	ret->n = status_of(container, NULL) == BRIG_STOPPED ? 0 : 1;
	return 0;
}

int brig_processes(const struct brig *brig, const char *id, struct arena *arena, struct brig_pids *ret, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	if (!container.state.cgroup_path || container.state.cgroup_manager == PLAN_CGROUP_DISABLED) {
		rc = only_first(&container, arena, ret, err);
	} else {
		rc = cgroup_open(container.state.cgroup_manager, container.state.cgroup_path, &cgroup, err);
		if (rc >= 0)
			rc = cgroup_pids(cgroup, arena, &ret->list, &ret->n, err);
	}
	store_done(&container);
	return rc;
}
