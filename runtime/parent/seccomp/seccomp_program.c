#include "parent/seccomp/seccomp.h"

#include <stdlib.h>

#include "parent/seccomp/seccomp_cache.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_compose.h"
#include "parent/seccomp/seccomp_floor.h"

void seccomp_program_done(struct seccomp_program *program)
{
	free(program->instructions);
	free(program->floor);
	*program = (struct seccomp_program){ 0 };
}

/* config.json's filter, with the floor beneath it. */
static int compile(const struct plan_seccomp *plan, struct seccomp_program *ret, struct error *err)
{
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program config = { 0 }, floor = { 0 };
	int r = seccomp_compile(plan, &config, err);

	if (r == 0)
		r = seccomp_floor_program(plan->floor, plan->floor_capabilities, plan->floor_notifies, &floor, err);
	if (r == 0)
		r = seccomp_compose_or_stack(&config, &floor, ret, err);
	return r;
}

int seccomp_program_get(const struct plan_seccomp *plan, int cache_dir_fd, struct seccomp_program *ret, struct error *err)
{
	int r;

	/* Built in: there is nothing to be had from the cache. */
	if (!plan->enabled)
		return seccomp_floor_program(plan->floor, plan->floor_capabilities, plan->floor_notifies, ret, err);
	if (cache_dir_fd >= 0 && seccomp_cache_load(plan, cache_dir_fd, ret))
		return 0;
	if (plan->floor == PLAN_FLOOR_NONE)
		r = seccomp_compile(plan, ret, err);
	else
		r = compile(plan, ret, err);
	if (r < 0)
		return r;
	if (cache_dir_fd >= 0)
		seccomp_cache_store(plan, cache_dir_fd, ret);
	return 0;
}
