#include "container/landlock_state.h"

int landlock_state_of(const struct plan_landlock *plan, struct arena *arena, const struct state_landlock **ret,
		      struct error *err)
{
	const char **places = arena_array_of(arena, plan->n_places, const char *);
	struct state_landlock *state = arena_new_of(arena, struct state_landlock);

	if (!places || !state)
		return error_memory(err);
	for (size_t i = 0; i < plan->n_places; i++)
		places[i] = plan->places[i].destination;
	*state = (struct state_landlock){ .places = places, .n_places = plan->n_places };
	*ret = plan->enabled ? state : NULL;
	return 0;
}

int landlock_state_plan(const struct state_landlock *state, struct arena *arena, const struct plan_landlock **ret,
			struct error *err)
{
	struct plan_landlock_place *places;
	struct plan_landlock *plan = arena_new_of(arena, struct plan_landlock);

	*ret = NULL;
	if (!state)
		return 0;
	places = arena_array_of(arena, state->n_places, struct plan_landlock_place);
	if (!places || !plan)
		return error_memory(err);
	for (size_t i = 0; i < state->n_places; i++)
		places[i] = (struct plan_landlock_place){ state->places[i], PLAN_LANDLOCK_BY_PATH };
	*plan = (struct plan_landlock){ .enabled = true, .places = places, .n_places = state->n_places };
	*ret = plan;
	return 0;
}
