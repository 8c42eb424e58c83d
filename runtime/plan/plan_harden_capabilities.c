/* The floor's rules about capabilities. */
#include <errno.h>

#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_harden.h"

/* Its capabilities are not the host's: over a namespace that the plan makes or joins (the kernel lets nobody join the one that he is
 * in), or over the one that an ordinary user runs brig in. */
bool plan_harden_has_user_namespace(const struct plan_builder *builder)
{
	const struct plan_namespaces *namespaces = &builder->plan->namespaces;

	for (size_t i = 0; i < namespaces->n_join; i++) {
		if (namespaces->join[i].flag == CLONE_NEWUSER)
			return true;
	}
	return builder->host->in_user_namespace || ((namespaces->create | namespaces->enter) & CLONE_NEWUSER);
}

static const char *names_of(const struct plan_builder *builder, uint64_t capabilities, struct error *err)
{
	const char *list = "";

	for (unsigned i = 0; list && i < 64; i++) {
		if (capabilities >> i & 1)
			list = plan_builder_text(builder, err, "%s%s%s", list, *list ? ", " : "",
						 names_text(&names_capabilities, i) ?: "one without a name");
	}
	return list;
}

int plan_harden_capability(struct plan_builder *builder, struct error *err)
{
	struct plan_capabilities *sets = &builder->plan->process.capabilities;
	bool own = plan_harden_has_user_namespace(builder), adjust;
	uint64_t ceiling = policy_capabilities(builder->request->policy, own);
	uint64_t beyond = (sets->bounding | sets->effective | sets->inheritable | sets->permitted | sets->ambient) &
			  ~ceiling;
	struct report_line line = { .where = "process.capabilities", .applied = "left out" };
	int rc;

	if (!beyond)
		return 0;
	line.asked = names_of(builder, beyond, err);
	line.why = own ? "it opens much of the kernel, also over a user namespace of the container's own"
		       : "without a user namespace of the container's own it holds on the host";
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_CAPABILITY, &line, &adjust, err);
	if (rc < 0 || !adjust)
		return rc;
	sets->bounding &= ceiling;
	sets->effective &= ceiling;
	sets->inheritable &= ceiling;
	sets->permitted &= ceiling;
	sets->ambient &= ceiling;
	return 0;
}

int plan_harden_ambient_capability(struct plan_builder *builder, struct error *err)
{
	struct plan_capabilities *sets = &builder->plan->process.capabilities;
	uint64_t kept = sets->inheritable | sets->ambient;
	struct report_line line = { .where = "process.capabilities.inheritable, .ambient",
				    .applied = "left out",
				    .why = "they reach programs that nobody meant to give them to (CVE-2022-24769)" };
	bool adjust;
	int rc;

	if (!kept)
		return 0;
	line.asked = names_of(builder, kept, err);
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_AMBIENT_CAPABILITY, &line, &adjust, err);
	if (rc >= 0 && adjust)
		sets->inheritable = sets->ambient = 0;
	return rc;
}
