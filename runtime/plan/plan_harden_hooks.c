/* The floor's rule about hooks: programs of the host, run as root, that config.json names. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "plan/plan_harden.h"

/* In a listed directory, or one that is listed itself. As text: a link in a listed directory leads where its owner, who is the site's, wants. */
static int is_allowed(const struct plan_builder *builder, const struct plan_hook *hook, bool *ret, struct error *err)
{
	struct policy_strings directories = policy_hook_directories(builder->request->policy);
	const char *path = path_normalise(builder->arena, hook->path);

	if (!path)
		return error_memory(err);
	*ret = false;
	for (size_t i = 0; i < directories.n; i++)
		*ret |= path_is_below(path, directories.list[i]);
	return 0;
}

static int check(struct plan_builder *builder, const struct plan_hook *hook, bool *ret_keep, struct error *err)
{
	struct report_line line = {
		.where = hook->where,
		.asked = plan_builder_text(builder, err, "%.200s", hook->path),
		.applied = "left out",
		.why = "it would run on the host as brig does, and is in none of the policy's directories"
	};
	bool adjust = false;
	int rc = is_allowed(builder, hook, ret_keep, err);

	if (rc < 0 || *ret_keep)
		return rc;
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_HOOK, &line, &adjust, err);
	*ret_keep = !adjust;
	return rc;
}

static int check_list(struct plan_builder *builder, struct plan_hooks *hooks, struct error *err)
{
	struct plan_hook *kept = arena_array_of(builder->arena, hooks->n, struct plan_hook);
	int rc = kept ? 0 : error_memory(err);
	size_t n = 0;
	bool keep = true;

	for (size_t i = 0; rc >= 0 && i < hooks->n; i++) {
		rc = check(builder, &hooks->list[i], &keep, err);
		if (rc >= 0 && keep)
			kept[n++] = hooks->list[i];
	}
	if (rc >= 0)
		*hooks = (struct plan_hooks){ kept, n };
	return rc;
}

int plan_harden_hook(struct plan_builder *builder, struct error *err)
{
	int rc = 0;

	for (size_t kind = 0; rc >= 0 && kind < PLAN_N_HOOK_KINDS; kind++)
		rc = check_list(builder, &builder->plan->hooks[kind], err);
	return rc;
}
