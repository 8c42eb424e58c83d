/* Filters that ask about each call, and the answers that are found for them without the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include "base/fd.h"
#include "parent/seccomp/seccomp_arch.h"
#include "parent/seccomp/seccomp_code.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_evaluate.h"
#include "parent/seccomp/seccomp_floor.h"
#include "parent/seccomp/seccomp_message.h"
#include "parent/seccomp/seccomp_record.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/seccomp_both.h"

static uint32_t simulate(const struct seccomp_program *program, const struct seccomp_data *data)
{
	uint32_t answer = 0;

	cr_assert_eq(bpf_simulator_run(program->instructions, program->n, data, &answer, NULL), 0);
	return answer;
}

static void floor_program(struct seccomp_program *ret)
{
	cr_assert_eq(seccomp_floor_program(PLAN_FLOOR_STRICT, 0, /* notifies= */ false, ret, NULL), 0);
}

Test(seccomp_record, evaluates_as_the_simulator_does)
{
	uint64_t seed = 0x5eed5eed;
	struct seccomp_program program = { 0 };
	struct seccomp_both_values values = { 0 };
	size_t n_allowed = 0;

	floor_program(&program);
	seccomp_both_collect(&values, program.instructions, program.n);
	for (int nr = -1; nr < 600; nr++) {
		for (int i = 0; i < 200; i++) {
			struct seccomp_data data = { .nr = nr, .arch = i % 3 ? SCMP_ARCH_X86_64 : SCMP_ARCH_X86 };
			uint32_t answer;

			seccomp_both_arguments(&values, &seed, &data);
			answer = seccomp_evaluate(&program, &data);
			cr_assert_eq(answer, simulate(&program, &data), "nr %d", nr);
			n_allowed += answer == SECCOMP_RET_ALLOW;
		}
	}
	cr_expect_gt(n_allowed, 10000);
	seccomp_program_done(&program);
}

Test(seccomp_record, evaluates_random_programs)
{
	uint64_t seed = 0x2545f4914f6cdd1d;
	struct sock_filter instructions[120];

	for (int round = 0; round < 500; round++) {
		struct seccomp_program program = { .instructions = instructions, .n = 20 + (size_t)round % 100 };
		struct seccomp_both_values values = { 0 };

		seccomp_both_random_program(instructions, program.n, /* may_notify= */ true, &seed);
		seccomp_both_collect(&values, instructions, program.n);
		for (int i = 0; i < 50; i++) {
			struct seccomp_data data = { .nr = i * 7, .arch = SCMP_ARCH_X86_64 };

			seccomp_both_arguments(&values, &seed, &data);
			cr_assert_eq(seccomp_evaluate(&program, &data), simulate(&program, &data));
		}
	}
}

Test(seccomp_record, of_two_the_stricter_answer)
{
	static const uint32_t order[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
					  SECCOMP_RET_ERRNO | 7,    SECCOMP_RET_USER_NOTIF,  SECCOMP_RET_TRACE,
					  SECCOMP_RET_LOG,	    SECCOMP_RET_ALLOW };
	const struct seccomp_data data = { .nr = 1 };

	for (size_t a = 0; a < ARRAY_SIZE(order); a++) {
		for (size_t b = 0; b < ARRAY_SIZE(order); b++) {
			struct sock_filter above = BPF_STMT(BPF_RET | BPF_K, order[a]),
					   beneath = BPF_STMT(BPF_RET | BPF_K, order[b]);
			const struct seccomp_program program = {
				.instructions = &above, .n = 1, .floor = &beneath, .n_floor = 1
			};

			cr_expect_eq(seccomp_evaluate(&program, &data), order[a < b ? a : b], "%zu %zu", a, b);
		}
	}
}

/* What a compiler of ours never writes is not run on: it kills. */
Test(seccomp_record, odd_programs_kill)
{
	struct sock_filter no_end[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 7, 0, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter computed[] = { BPF_STMT(BPF_RET | BPF_A, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct {
		struct sock_filter *instructions;
		size_t n;
	} programs[] = { { no_end, 1 }, { far, 2 }, { beyond, 2 }, { computed, 2 }, { NULL, 0 } };
	const struct seccomp_data data = { .nr = 1 };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct seccomp_program program = { .instructions = programs[i].instructions, .n = programs[i].n };

		cr_expect_eq(seccomp_evaluate(&program, &data), SECCOMP_RET_KILL_PROCESS, "%zu", i);
	}
}

Test(seccomp_record, asks_about_all_that_is_not_killed)
{
	struct seccomp_program original = { 0 }, program = { 0 };
	size_t n_killed = 0;

	floor_program(&original);
	floor_program(&program);
	cr_assert_eq(seccomp_record_all(&program, NULL), 0);
	cr_expect(program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
	for (int nr = 0; nr < 600; nr++) {
		for (int i = 0; i < 4; i++) {
			const struct seccomp_data data = { .nr = nr,
							   .arch = i % 2 ? SCMP_ARCH_X86_64 : SCMP_ARCH_RISCV64 };
			uint32_t before = simulate(&original, &data), after = simulate(&program, &data);

			cr_assert_eq(after, before == SECCOMP_RET_ALLOW || before >> 16 == SECCOMP_RET_ERRNO >> 16
						    ? SECCOMP_RET_USER_NOTIF
						    : before);
			n_killed += after == before;
		}
	}
	cr_expect_gt(n_killed, 0);
	/* The kernel takes one listener. */
	cr_expect_eq(seccomp_record_all(&program, NULL), -EINVAL);
	seccomp_program_done(&original);
	seccomp_program_done(&program);
}

Test(seccomp_record, only_the_message_with_the_passphrase_passes)
{
	struct sock_filter *instructions = malloc(sizeof(*instructions));
	struct seccomp_program program = { .instructions = instructions, .n = 1 };
	struct seccomp_data data = { .nr = SYS_sendmsg, .arch = seccomp_arch_own()->audit };

	instructions[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	cr_assert_eq(seccomp_message_let_pass(&program, NULL), 0);
	cr_expect_eq(simulate(&program, &data), SECCOMP_RET_ERRNO | EPERM);
	memcpy(&data.args[3], program.passphrase, sizeof(program.passphrase));
	cr_expect_eq(simulate(&program, &data), SECCOMP_RET_ALLOW);
	for (size_t bit = 0; bit < 8 * sizeof(program.passphrase); bit++) {
		struct seccomp_data other = data;

		other.args[3 + bit / 64] ^= UINT64_C(1) << bit % 64;
		cr_assert_eq(simulate(&program, &other), SECCOMP_RET_ERRNO | EPERM, "bit %zu", bit);
	}
	data.nr = SYS_sendto;
	cr_expect_eq(simulate(&program, &data), SECCOMP_RET_ERRNO | EPERM);
	seccomp_program_done(&program);
}

Test(seccomp_record, a_filter_without_room_is_refused)
{
	struct sock_filter *instructions = calloc(SECCOMP_CODE_MAX, sizeof(*instructions));
	struct seccomp_program program = { .instructions = instructions, .n = SECCOMP_CODE_MAX };
	struct error err = { 0 };

	cr_expect_eq(seccomp_message_let_pass(&program, &err), -E2BIG);
	cr_expect_not(program.has_passphrase);
	seccomp_program_done(&program);
}

static void send_listener_from_behind(const struct seccomp_program *program, int socket_fd)
{
	int listener_fd = -EBADF;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_install(program, &listener_fd, NULL) < 0 ||
	    seccomp_message_send(program, socket_fd, "x", 1, listener_fd) < 0)
		syscall(SYS_exit_group, 99);
	/* Now each call waits for an answer. */
	syscall(SYS_exit_group, (int)syscall(SYS_getppid) == -EPERM);
}

/* The kernel's part: the listener comes out of a filter that lets nothing through but this. */
Test(seccomp_record, the_listener_comes_out_of_the_narrowest_filter)
{
	struct sock_filter *instructions = malloc(sizeof(*instructions));
	struct seccomp_program program = { .instructions = instructions, .n = 1 };
	int channel[2], listener_fd = -EBADF, status = 0;
	char byte = 0;
	pid_t pid;

	instructions[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	cr_assert_eq(seccomp_record_all(&program, NULL), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	pid = fork();
	if (pid == 0)
		send_listener_from_behind(&program, channel[1]);
	cr_assert_eq(fd_receive(channel[0], &byte, 1, &listener_fd), 1);
	cr_expect_eq(byte, 'x');
	cr_assert_geq(listener_fd, 0);
	/* Nobody answers any more: ENOSYS, also to exit_group, so that it has to be killed. */
	close(listener_fd);
	kill(pid, SIGKILL);
	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status));
	seccomp_program_done(&program);
}

/* A filter of config.json's that refuses sendmsg, over a floor with a listener of ours. */
Test(seccomp_record, a_narrow_filter_over_a_floor_that_notifies)
{
	static const char *const names[] = { "read", "execve", "exit_group" };
	const struct plan_seccomp_rule rule = { names, ARRAY_SIZE(names), SECCOMP_RET_ALLOW, NULL, 0 };
	static const char *const with_message[] = { "read", "execve", "sendmsg" };
	const struct plan_seccomp_rule wider = { with_message, ARRAY_SIZE(with_message), SECCOMP_RET_ALLOW, NULL, 0 };
	struct plan_seccomp plan = { .floor = PLAN_FLOOR_STRICT,
				     .floor_notifies = true,
				     .enabled = true,
				     .default_action = SECCOMP_RET_ERRNO | EPERM,
				     .rules = &rule,
				     .n_rules = 1 };
	struct seccomp_program program = { 0 };

	cr_assert_eq(seccomp_program_get(&plan, -EBADF, &program, NULL), 0);
	cr_expect(program.has_passphrase);
	seccomp_program_done(&program);
	plan.rules = &wider;
	cr_assert_eq(seccomp_program_get(&plan, -EBADF, &program, NULL), 0);
	cr_expect_not(program.has_passphrase, "what is not needed costs nothing");
	seccomp_program_done(&program);
	plan.rules = &rule;
	plan.floor_notifies = false;
	cr_assert_eq(seccomp_program_get(&plan, -EBADF, &program, NULL), 0);
	cr_expect_not(program.has_passphrase);
	seccomp_program_done(&program);
}
