#include "parent/seccomp/seccomp.h"

#include <stdlib.h>

#include "parent/seccomp/seccomp_cache.h"
#include "parent/seccomp/seccomp_compile.h"

void seccomp_program_done(struct seccomp_program *program)
{
	free(program->instructions);
	*program = (struct seccomp_program){ 0 };
}

int seccomp_program_get(const struct plan_seccomp *plan, int cache_dir_fd, struct seccomp_program *ret, struct error *err)
{
	int r;

	if (cache_dir_fd >= 0 && seccomp_cache_load(plan, cache_dir_fd, ret))
		return 0;
	r = seccomp_compile(plan, ret, err);
	if (r < 0)
		return r;
	if (cache_dir_fd >= 0)
		seccomp_cache_store(plan, cache_dir_fd, ret);
	return 0;
}
