/* Where a container's filter comes from: the cache, the compiler, or what is built in. */
#include "parent/seccomp/seccomp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <linux/seccomp.h>

#include "parent/seccomp/seccomp_arch.h"
#include "parent/seccomp/seccomp_cache.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_compose.h"
#include "parent/seccomp/seccomp_evaluate.h"
#include "parent/seccomp/seccomp_floor.h"
#include "parent/seccomp/seccomp_message.h"
#include "parent/seccomp/seccomp_record.h"

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

/* For what is recorded without a filter. */
static int allow_all(struct seccomp_program *ret, struct error *err)
{
	struct sock_filter *only = calloc(1, sizeof(*only));

	if (!only)
		return error_memory(err);
	*only = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*ret = (struct seccomp_program){ .instructions = only, .n = 1 };
	return 0;
}

static int get(const struct plan_seccomp *plan, int cache_dir_fd, struct seccomp_program *ret, struct error *err)
{
	int r;

	/* Built in: there is nothing to be had from the cache. */
	if (!plan->enabled && plan->floor == PLAN_FLOOR_NONE && plan->records)
		return allow_all(ret, err);
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

/* A listener of the floor's comes out by a message, which a narrow filter of config.json's may refuse. */
static bool keeps_listener_in(const struct plan_seccomp *plan, const struct seccomp_program *program)
{
	const struct seccomp_data message = { .arch = seccomp_arch_own()->audit, .nr = SYS_sendmsg };

	return plan->enabled && plan->floor_notifies && seccomp_evaluate(program, &message) != SECCOMP_RET_ALLOW;
}

int seccomp_program_get(const struct plan_seccomp *plan, int cache_dir_fd, struct seccomp_program *ret, struct error *err)
{
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program program = { 0 };
	int r = get(plan, cache_dir_fd, &program, err);

	if (r == 0 && plan->logs) {
		program.flags |= SECCOMP_FILTER_FLAG_LOG;
		program.floor_flags |= SECCOMP_FILTER_FLAG_LOG;
	}
	if (r == 0 && plan->records)
		r = seccomp_record_all(&program, err);
	else if (r == 0 && keeps_listener_in(plan, &program))
		r = seccomp_message_let_pass(&program, err);
	if (r < 0)
		return r;
	*ret = program;
	program = (struct seccomp_program){ 0 };
	return 0;
}
