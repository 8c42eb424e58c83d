/* The rule host-namespace, for a pod that has no container yet. */
#include <stdio.h>

#include "base/cleanup.h"
#include "container/brig.h"
#include "plan/plan_harden.h"
#include "policy/policy.h"

void brig_refuses_the_hosts(const struct brig *brig, char *ret, size_t size)
{
	AUTO(policy_done) struct policy policy = { 0 };

	*ret = '\0';
	if (policy_load(brig->policy, &policy, NULL) == 0 &&
	    policy_level(&policy, POLICY_HOST_NAMESPACE) == POLICY_ENFORCE &&
	    !policy_delegated(&policy, POLICY_HOST_NAMESPACE))
		snprintf(ret, size, "%s", policy_name(&policy));
}

int brig_refuse_the_hosts(const char *policy, uint64_t kind, struct error *err)
{
	return plan_harden_refuse_the_hosts(kind, policy, err);
}
