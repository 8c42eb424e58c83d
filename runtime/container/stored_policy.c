#include "container/stored_policy.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int stored_policy_load(const struct brig *brig, const struct state *state, struct policy *ret, struct error *err)
{
	AUTO(policy_done) struct policy now = { 0 };
	struct policy stored;
	int rc = policy_load(brig->policy, &now, err);

	if (rc < 0)
		return rc;
	if (!state->policy || strcmp(state->policy, now.text) == 0) {
		*ret = now;
		now.arena = NULL;
		return 0;
	}
	rc = policy_parse(state->policy, strlen(state->policy), &stored, err);
	if (rc < 0)
		return error_prefix(err, "the policy kept for container %s", state->id);
	snprintf(stored.name, sizeof(stored.name), "%s", state->policy_name ?: "");
	policy_tighten(&stored, &now);
	*ret = stored;
	return 0;
}
