#include "parent/seccomp/seccomp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

/* What brig itself calls from behind its filter, while nobody serves the listener yet. */
static bool asks_us(const struct seccomp_program *program)
{
	static const long calls[] = { SYS_execve,	SYS_close,	    SYS_clone,	      SYS_write,
				      SYS_exit_group,	SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_wait4,
				      SYS_getpid,	SYS_kill,	    SYS_rt_sigreturn, SYS_rt_sigtimedwait,
				      SYS_clock_gettime };
	struct seccomp_data data = { .arch = seccomp_arch_own()->audit };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		data.nr = (int)calls[i];
		if ((seccomp_evaluate(program, &data) & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	}
	return false;
}

static void replace_answer(struct seccomp_program *program, uint32_t answer, uint32_t other)
{
	for (size_t i = 0; i < program->n; i++)
		if (program->instructions[i].code == (BPF_RET | BPF_K) && program->instructions[i].k == answer)
			program->instructions[i].k = other;
}

/* What config.json's filter refuses with EPERM goes to the floor's listener, which answers just that and counts it. Two programs
 * one after the other stay as they are: the listener is the first one's. */
static void count_refusals(struct seccomp_program *program)
{
	const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
	__attribute__((cleanup(seccomp_program_done_cleanup))) struct seccomp_program counted = { .n = program->n };

	if (program->floor || program->n == 0)
		return;
	counted.instructions = calloc(program->n, sizeof(*counted.instructions));
	if (!counted.instructions)
		return;
	memcpy(counted.instructions, program->instructions, program->n * sizeof(*counted.instructions));
	replace_answer(&counted, refused, SECCOMP_RET_USER_NOTIF);
	if (!asks_us(&counted))
		replace_answer(program, refused, SECCOMP_RET_USER_NOTIF);
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
	if (r == 0 && plan->enabled && plan->floor_notifies && !plan->records)
		count_refusals(&program);
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
