#include "base/cleanup.h"
#include "container/brig.h"
#include "container/store.h"
#include "parent/cgroup/cgroup.h"
#include "parent/cgroup/egress.h"

#define ARENA_MAX ((size_t)1024 * 1024)

static int count(const struct state *state, struct brig_egress_counts *ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	struct egress_report report;
	struct error missing = { 0 };
	int rc = arena ? cgroup_open(state->cgroup_manager, state->cgroup_path, &cgroup, err) : error_memory(err);

	if (rc < 0)
		return rc;
	rc = egress_read(cgroup, arena, &report, &missing);
	if (rc < 0 && missing.kind != ERROR_NOT_FOUND && err)
		*err = missing;
	if (rc < 0)
		return missing.kind == ERROR_NOT_FOUND ? 0 : rc;
	*ret = (struct brig_egress_counts){ .is_held = true, .denied = report.denied };
	for (size_t i = 0; i < report.n_entries; i++) {
		ret->connections += report.entries[i].connections;
		ret->datagrams += report.entries[i].datagrams;
	}
	return 0;
}

int brig_egress_counts(const struct brig *brig, const char *id, struct brig_egress_counts *ret, struct error *err)
{
	struct brig_egress_counts counts = { 0 };
	struct container container;
	int rc = store_open(brig, id, STORE_UNLOCKED, &container, err);

	if (rc < 0)
		return rc;
	if (container.state.cgroup_path)
		rc = count(&container.state, &counts, err);
	store_done(&container);
	if (rc >= 0)
		*ret = counts;
	return rc;
}
