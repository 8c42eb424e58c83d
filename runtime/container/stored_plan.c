#include "container/stored_plan.h"

#include "base/cleanup.h"
#include "parent/host.h"
#include "plan/plan_build.h"
#include "policy/policy.h"

int stored_plan_spec(const struct container *container, struct spec **ret, struct error *err)
{
	int rc = spec_load(container->dir_fd, ret, NULL, err);

	return rc < 0 ? error_prefix(err, "the configuration kept for container %s", container->state.id) : 0;
}

int stored_plan_load(const struct brig *brig, const struct container *container, struct plan **ret, struct error *err)
{
	AUTO(spec_free) struct spec *spec = NULL;
	struct report report = { 0 };
	struct policy policy;
	struct host host;
	struct plan_request request = { .policy = &policy,
					.host = &host,
					.id = container->state.id,
					.bundle = container->state.bundle,
					.cgroup_manager = container->state.cgroup_manager };
	int rc;

	/* Not brig->policy: what the site allows was decided when the container was made, and a file that is stricter since then, or
	 * broken, must not keep the hooks of its end from running. */
	(void)brig;
	rc = policy_load("conformant", &policy, err);
	if (rc >= 0)
		rc = stored_plan_spec(container, &spec, err);
	if (rc >= 0)
		rc = host_probe(&host, err);
	if (rc < 0)
		return rc;
	request.spec = spec;
	return plan_build(&request, ret, &report, err);
}
