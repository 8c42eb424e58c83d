#include "container/policy_facts.h"

#include <string.h>

#include "base/path.h"
#include "parent/cgroup/cgroup_parents.h"
#include "parent/host.h"

#define PATH_MEMORY ((size_t)64 * 1024)

static bool has_annotation_of_ours(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (strncmp(spec->annotations[i].name, "brig.dev/", strlen("brig.dev/")) == 0)
			return true;
	}
	return false;
}

/* An annotation may set the rule's level, too: which one is for the plan to say. */
static bool may_hold(const struct plan_request *request, enum policy_rule rule)
{
	return policy_level(request->policy, rule) != POLICY_OFF || policy_delegated(request->policy, rule) ||
	       has_annotation_of_ours(request->spec);
}

void policy_facts_landlock(const struct plan_request *request, struct host *host)
{
	if (may_hold(request, POLICY_LANDLOCK))
		host_probe_landlock(host);
}

void policy_facts_host(const struct plan_request *request, const struct spec_process *process, struct host *host)
{
	if (!process)
		return;
	if (host->apparmor && may_hold(request, POLICY_APPARMOR)) {
		host->apparmor_default = host_has_apparmor_profile(PLAN_APPARMOR_DEFAULT);
		host->apparmor_stacked = process->apparmor_profile && host_has_apparmor_stacked();
	}
	/* -1000: not asked yet, and no harm in asking once more. */
	if (host->oom_score_adj == -1000 && !process->oom_score_adj.set && may_hold(request, POLICY_OOM_SCORE))
		host->oom_score_adj = host_oom_score_adj();
}

static unsigned kind_if(const struct policy_resource *site, unsigned kind)
{
	return site->missing || site->most ? kind : 0;
}

int policy_facts_parents(const struct plan_request *request, const char *cgroup_path, struct host_limits *ret,
			 struct error *err)
{
	struct policy_resources site = policy_resources(request->policy);
	unsigned kinds = kind_if(&site.pids, CGROUP_PARENTS_PIDS) | kind_if(&site.memory, CGROUP_PARENTS_MEMORY) |
			 kind_if(&site.cpu, CGROUP_PARENTS_CPU);
	AUTO(arena_free) struct arena *arena = NULL;
	const char *path = cgroup_path;

	if (!kinds || !path || request->cgroup_manager == PLAN_CGROUP_DISABLED ||
	    (!may_hold(request, POLICY_RESOURCE_MISSING) && !may_hold(request, POLICY_RESOURCE_MAXIMUM)))
		return 0;
	arena = arena_new(PATH_MEMORY);
	if (arena && request->cgroup_manager == PLAN_CGROUP_FS)
		path = path_normalise(arena, cgroup_path);
	if (!arena || !path)
		return error_memory(err);
	*ret = cgroup_parents_limits(request->cgroup_manager, path + (path[0] == '/'), kinds);
	return 0;
}
