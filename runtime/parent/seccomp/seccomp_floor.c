#include "parent/seccomp/seccomp_floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "parent/seccomp/seccomp_floor_compile.h"

#if defined(__x86_64__)
#define OWN_MACHINE &seccomp_floor_x86_64
#elif defined(__aarch64__)
#define OWN_MACHINE &seccomp_floor_aarch64
#else
#define OWN_MACHINE NULL
#endif

static const struct seccomp_floor_machine *const own_machine = OWN_MACHINE;

const char *seccomp_floor_version(void)
{
	return seccomp_floor_data_version;
}

/* A copy, so that whoever has a program need not know where it came from. */
static int copy_built_in(const struct seccomp_floor_table *table, struct seccomp_program *ret, struct error *err)
{
	size_t size = table->n_instructions * sizeof(*table->instructions);
	struct sock_filter *copy = malloc(size);

	if (!copy)
		return error_memory(err);
	memcpy(copy, table->instructions, size);
	*ret = (struct seccomp_program){ .instructions = copy, .n = table->n_instructions };
	return 0;
}

void seccomp_floor_notify(struct seccomp_program *program)
{
	for (size_t i = 0; i < program->n; i++) {
		struct sock_filter *instruction = &program->instructions[i];

		if (instruction->code == (BPF_RET | BPF_K) && instruction->k == (SECCOMP_RET_ERRNO | EPERM))
			instruction->k = SECCOMP_RET_USER_NOTIF;
	}
	program->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

int seccomp_floor_program(enum plan_floor floor, uint64_t capabilities, bool notifies, struct seccomp_program *ret,
			  struct error *err)
{
	const struct seccomp_floor_table *table;
	struct seccomp_program program = { 0 };
	int r;

	if (floor <= PLAN_FLOOR_NONE || floor >= PLAN_N_FLOORS)
		return error_invalid(err, "there is no system call filter %d", (int)floor);
	if (!own_machine)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "brig has system call filters of its own for x86_64 and aarch64 only");
	table = &own_machine->profiles[floor];
	if (capabilities & table->gates)
		r = seccomp_floor_compile(table, capabilities, &program, err);
	else
		r = copy_built_in(table, &program, err);
	if (r < 0)
		return r;
	if (notifies)
		seccomp_floor_notify(&program);
	*ret = program;
	return 0;
}
