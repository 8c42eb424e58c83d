#include "plan/plan.h"

void plan_free(struct plan *plan)
{
	/* The plan lies in its own arena. */
	if (plan)
		arena_free(plan->arena);
}
