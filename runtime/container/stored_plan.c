#include "container/stored_plan.h"

#include <string.h>

#include "base/cleanup.h"
#include "container/creation/creation_ids.h"
#include "parent/host.h"
#include "plan/plan_build.h"
#include "plan/plan_hook_environment.h"
#include "policy/policy.h"

int stored_plan_spec(const struct container *container, struct spec **ret, struct error *err)
{
	int rc = spec_load(container->dir_fd, STORE_CONFIG, ret, NULL, err);

	return rc < 0 ? error_prefix(err, "the configuration kept for container %s", container->state.id) : 0;
}

int stored_plan_hooks_left_out(const struct report *report, struct state *state, struct arena *arena, struct error *err)
{
	const char **list = arena_array_of(arena, report->n_lines, const char *);
	size_t n = 0;

	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < report->n_lines; i++) {
		if (report->lines[i].level == REPORT_ADJUSTED &&
		    strcmp(report->lines[i].rule, policy_rule_name(POLICY_HOOK)) == 0)
			list[n++] = report->lines[i].where;
	}
	state->hooks_left_out = list;
	state->n_hooks_left_out = n;
	return 0;
}

/* of: "", or a part of it. */
static bool is_left_out(const struct state *state, const char *where, const char *of)
{
	size_t length = strlen(where);

	for (size_t i = 0; i < state->n_hooks_left_out; i++) {
		const char *entry = state->hooks_left_out[i];

		if (strncmp(entry, where, length) == 0 && strcmp(entry + length, of) == 0)
			return true;
	}
	return false;
}

/* What the policy's rule took away when the container was made is not to come back with the configuration. */
static int leave_out_hooks(struct plan *plan, const struct state *state, struct error *err)
{
	int rc = 0;

	for (size_t kind = 0; kind < PLAN_N_HOOK_KINDS && state->n_hooks_left_out > 0; kind++) {
		struct plan_hook *list = (struct plan_hook *)plan->hooks[kind].list;
		size_t n = 0;

		for (size_t i = 0; rc >= 0 && i < plan->hooks[kind].n; i++) {
			if (is_left_out(state, list[i].where, ""))
				continue;
			if (is_left_out(state, list[i].where, PLAN_HOOK_ENVIRONMENT))
				rc = plan_hook_environment_clear(plan->arena, &list[i], err);
			list[n++] = list[i];
		}
		plan->hooks[kind].n = n;
	}
	return rc;
}

int stored_plan_load(const struct brig *brig, const struct container *container, struct plan **ret, struct error *err)
{
	AUTO(spec_free) struct spec *spec = NULL;
	AUTO(plan_free) struct plan *plan = NULL;
	struct report report = { 0 };
	struct host host;
	struct plan_request request = { .decided = true,
					.host = &host,
					.id = container->state.id,
					.bundle = container->state.bundle,
					.cgroup_manager = container->state.cgroup_manager };
	int rc;

	/* Not brig->policy: what the site allows was decided when the container was made, and a file that is stricter since then, or
	 * broken, must not keep the hooks of its end from running. */
	(void)brig;
	rc = stored_plan_spec(container, &spec, err);
	if (rc >= 0)
		rc = host_probe(&host, err);
	if (rc < 0)
		return rc;
	request.spec = spec;
	creation_ids_recall(&container->state, &request);
	rc = plan_build(&request, &plan, &report, err);
	if (rc < 0)
		return rc;
	rc = leave_out_hooks(plan, &container->state, err);
	if (rc < 0)
		return rc;
	plan->seccomp.listener_held = container->state.listener_held;
	*ret = steal_ptr(&plan);
	return 0;
}
