#include "parent/seccomp/seccomp_record.h"

#include <errno.h>

#include <linux/seccomp.h>

#include "parent/seccomp/seccomp_message.h"

static bool is_asked_about(uint32_t answer)
{
	switch (answer & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ERRNO:
		return true;
	}
	return false;
}

int seccomp_record_all(struct seccomp_program *program, struct error *err)
{
	if ((program->flags | program->floor_flags) & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return error_set(
			err, ERROR_UNSUPPORTED, EINVAL,
			"its calls can't be recorded: its filter has a listener of its own, and the kernel takes one");
	for (size_t i = 0; i < program->n; i++) {
		struct sock_filter *instruction = &program->instructions[i];

		if (instruction->code == (BPF_RET | BPF_K) && is_asked_about(instruction->k))
			instruction->k = SECCOMP_RET_USER_NOTIF;
	}
	/* A signal does not make a call be asked about twice. */
	program->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return seccomp_message_let_pass(program, err);
}
