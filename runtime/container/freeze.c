/* brig pause and brig resume. */
#include <errno.h>

#include "base/cleanup.h"
#include "container/brig.h"
#include "container/status.h"
#include "container/store.h"
#include "parent/cgroup/cgroup.h"

#define FREEZE_TIMEOUT_MS 10000

/* A created container can be frozen as well: start then says that it is paused, instead of hanging. */
static int set_frozen(const struct container *container, bool freeze, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	enum brig_status status = status_of(container, NULL), wanted = freeze ? BRIG_RUNNING : BRIG_PAUSED;
	int rc;

	if (status == BRIG_STOPPED)
		return error_set(err, ERROR_NOT_RUNNING, ESRCH, "container not running: %s", container->state.id);
	if (status != wanted && !(freeze && status == BRIG_CREATED))
		return error_set(err, ERROR_STATE, EINVAL, "cannot %s container %s that is %s",
				 freeze ? "pause" : "resume", container->state.id, brig_status_name(status));
	rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);
	return rc < 0 ? rc : cgroup_freeze(cgroup, freeze, FREEZE_TIMEOUT_MS, err);
}

static int open_and_set(const struct brig *brig, const char *id, bool freeze, struct error *err)
{
	struct container container;
	int rc = store_open(brig, id, STORE_LOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = set_frozen(&container, freeze, err);
	store_done(&container);
	return rc;
}

/* What the status says may change a moment later, where a freezing is under way. */
static int thaw(const struct container *container, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);

	if (rc < 0 || !cgroup_exists(cgroup))
		return rc;
	return cgroup_freeze(cgroup, /* freeze= */ false, FREEZE_TIMEOUT_MS, err);
}

int brig_thaw(const struct brig *brig, const char *id, struct error *err)
{
	struct container container;
	int rc = store_open(brig, id, STORE_LOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = thaw(&container, err);
	store_done(&container);
	return rc;
}

int brig_pause(const struct brig *brig, const char *id, struct error *err)
{
	return open_and_set(brig, id, /* freeze= */ true, err);
}

int brig_resume(const struct brig *brig, const char *id, struct error *err)
{
	return open_and_set(brig, id, /* freeze= */ false, err);
}
