/* brig plan: what would be done, as any user. */
#include "base/cleanup.h"
#include "container/brig.h"
#include "container/creation/creation.h"
#include "container/store.h"
#include "plan/plan_print.h"
#include "policy/policy.h"

int brig_plan(const struct brig *brig, const struct brig_plan *request, struct buffer *out, struct error *err)
{
	const struct brig_create create = { .id = request->id, .bundle = request->bundle };
	unsigned format = request->json ? PLAN_PRINT_JSON : PLAN_PRINT_TEXT;
	struct decision decision = { 0 };
	int rc = store_check_id(request->id, err);

	if (rc >= 0)
		rc = creation_decide(brig, &create, PLAN_HOLDS_TIMEOUT | PLAN_HOLDS_MAX_OUTPUT, &decision, err);
	if (rc < 0) {
		creation_decision_done(&decision);
		return rc;
	}
	if (brig->redact_args || decision.policy.audit.redact_args)
		format |= PLAN_PRINT_REDACTED;
	plan_print(decision.plan, &decision.report, policy_name(&decision.policy), (enum plan_print_format)format, out);
	creation_decision_done(&decision);
	return out->failed ? error_memory(err) : 0;
}
