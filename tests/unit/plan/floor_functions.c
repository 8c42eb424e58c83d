#include "floor_functions.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/plan_harden.h"

#define NAME(name) #name,
const char *const floor_functions[] = { FLOOR_FUNCTIONS(NAME) };
const size_t n_floor_functions = ARRAY_SIZE(floor_functions);

static const char *taken_out;

void floor_functions_take_out(const char *name)
{
	taken_out = name;
}

static bool is_out(const char *name)
{
	return taken_out && strcmp(taken_out, name) == 0;
}

#define WRAP(name)                                                                      \
	int __real_plan_harden_##name(struct plan_builder *builder, struct error *err); \
	int __wrap_plan_harden_##name(struct plan_builder *builder, struct error *err); \
	int __wrap_plan_harden_##name(struct plan_builder *builder, struct error *err)  \
	{                                                                               \
		return is_out(#name) ? 0 : __real_plan_harden_##name(builder, err);     \
	}
FLOOR_FUNCTIONS(WRAP)
