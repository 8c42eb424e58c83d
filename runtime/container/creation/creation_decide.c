/* All that is found out and decided before a container is made; for `brig plan` and `brig check` that is all there is. */
#include <limits.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "container/creation/creation.h"
#include "container/creation/creation_binds.h"
#include "container/creation/creation_bundle.h"
#include "container/creation/creation_root.h"
#include "container/creation/creation_sources.h"
#include "container/policy_facts.h"
#include "parent/host.h"
#include "plan/plan_build.h"
#include "spec/spec.h"

#define LISTEN_FDS_MAX 1024
#define FACTS_MAX ((size_t)64 * 1024 * 1024)

enum plan_cgroup_manager creation_cgroup_manager(const struct brig *brig)
{
	if (brig->cgroup_disabled)
		return PLAN_CGROUP_DISABLED;
	return brig->systemd_cgroup ? PLAN_CGROUP_SYSTEMD : PLAN_CGROUP_FS;
}

/* LISTEN_FDS of our caller (go-runc's way of passing sockets on): sd_listen_fds(3). */
static unsigned listen_fds(void)
{
	const char *text = getenv("LISTEN_FDS");
	unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	return n <= LISTEN_FDS_MAX ? (unsigned)n : 0;
}

/* With all facts at hand. */
static int grant_ids(const struct brig *brig, const struct brig_create *request, struct plan_request *planned,
		     struct decision *decision, struct error *err)
{
	int rc = 0;

	if (planned->sources && request->supervisor)
		rc = creation_root_look(request->supervisor, &planned->root_source, err);
	if (rc >= 0)
		rc = creation_ids_grant(brig, planned, decision->takes_ids, &decision->ids, err);
	planned->ids = decision->ids.ids;
	return rc;
}

int creation_decide(const struct brig *brig, const struct brig_create *request, unsigned holds, struct decision *ret,
		    struct error *err)
{
	char bundle[PATH_MAX];
	AUTO_FREE struct spec_mount *shared = NULL;
	AUTO(arena_free) struct arena *facts = arena_new(FACTS_MAX);
	struct plan_request planned = { .policy = &ret->policy,
					.host = &ret->host,
					.id = request->id,
					.bundle = bundle,
					.collects = request->collects,
					.no_pivot = request->no_pivot,
					.no_new_keyring = request->no_new_keyring,
					.preserve_fds = request->preserve_fds,
					.listen_fds = listen_fds(),
					.cgroup_manager = creation_cgroup_manager(brig),
					.no_cgroup_why = brig->no_cgroup_why,
					.holds = holds };
	int rc;

	*ret = (struct decision){ .takes_ids = ret->takes_ids, .ids.userns_fd = -EBADF };
	rc = policy_load(brig->policy, &ret->policy, err);
	if (rc >= 0)
		rc = creation_bundle_find(request->bundle, bundle, err);
	if (rc >= 0)
		rc = creation_bundle_load(bundle, request, &ret->spec, &ret->text, err);
	if (rc >= 0)
		rc = host_probe(&ret->host, err);
	planned.spec = ret->spec;
	if (rc >= 0)
		policy_facts_landlock(&planned, &ret->host);
	if (rc >= 0)
		policy_facts_host(&planned, ret->spec->process, &ret->host);
	if (rc >= 0)
		rc = policy_facts_parents(&planned, ret->spec->linux_.cgroups_path, &planned.parents, err);
	if (rc >= 0)
		rc = creation_binds_mounts(request->supervisor, ret->spec, &shared, &planned.n_shared_mounts, err);
	planned.shared_mounts = shared;
	if (rc >= 0)
		rc = facts ? creation_sources_look(brig, request->supervisor, facts, &planned, err) : error_memory(err);
	if (rc >= 0)
		rc = grant_ids(brig, request, &planned, ret, err);
	return rc < 0 ? rc : plan_build(&planned, &ret->plan, &ret->report, err);
}

void creation_decision_done(struct decision *decision)
{
	plan_free(steal_ptr(&decision->plan));
	spec_free(steal_ptr(&decision->spec));
	policy_done(&decision->policy);
	creation_ids_done(&decision->ids);
	buffer_done(&decision->text);
}
