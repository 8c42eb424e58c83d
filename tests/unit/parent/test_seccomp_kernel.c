/* Our filters in the kernel, and what they cost there beside libseccomp's. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/audit.h>

#include "parent/seccomp/seccomp.h"
#include "tests/support/bpf_simulator.h"
#include "tests/support/rounds.h"
#include "tests/support/seccomp_libseccomp.h"
#include "tests/support/seccomp_profile.h"

static void get(const struct plan_seccomp *plan, struct seccomp_program *program)
{
	struct error err = { 0 };

	cr_assert_eq(seccomp_program_get(plan, -EBADF, program, &err), 0, "%s", err.message);
}

/* Runs body in a child under the filter; the status of its end. */
static int run_under(const struct seccomp_program *program, int (*body)(int listener_fd))
{
	int status = 0, listener_fd = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(program, &listener_fd, NULL) < 0)
			_exit(99);
		_exit(body(listener_fd));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool fails_with(long r, int code)
{
	return r < 0 && errno == code;
}

static int try_engine(int listener_fd)
{
	if (listener_fd != -EBADF)
		return 1;
	if (getppid() <= 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 2;
	if (!fails_with(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL), EPERM))
		return 3;
	if (!fails_with(socket(40 /* AF_VSOCK */, SOCK_STREAM, 0), EPERM))
		return 4;
	if (!fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS))
		return 5;
	if (!fails_with(syscall(600), ENOSYS) || !fails_with(syscall(460), EPERM))
		return 6;
	return fails_with(syscall(SYS_personality, 0x1000), EPERM) && syscall(SYS_personality, 0xffffffff) >= 0 ? 0 : 7;
}

Test(seccomp_kernel, engine_profile)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct seccomp_program program = { 0 };
	int status;

	get(seccomp_profile_engine(arena), &program);
	status = run_under(&program, try_engine);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
	seccomp_program_done(&program);
}

static const char *const getppid_name[] = { "getppid" };

static struct seccomp_program with_action(uint32_t action, uint64_t flags)
{
	struct plan_seccomp_rule rule = { getppid_name, 1, action, NULL, 0 };
	struct plan_seccomp plan = {
		.enabled = true, .default_action = SECCOMP_RET_ALLOW, .flags = flags, .rules = &rule, .n_rules = 1
	};
	struct seccomp_program program = { 0 };

	get(&plan, &program);
	return program;
}

static int call_getppid(int listener_fd)
{
	return listener_fd >= 0 ? 0 : (int)syscall(SYS_getppid) == -1 ? errno : 0;
}

Test(seccomp_kernel, actions)
{
	static const struct {
		uint32_t action;
		int status;
	} cases[] = { { SECCOMP_RET_ERRNO | 42, 42 << 8 },	  { SECCOMP_RET_KILL_PROCESS, SIGSYS | 0x80 },
		      { SECCOMP_RET_KILL_THREAD, SIGSYS | 0x80 }, { SECCOMP_RET_TRAP, SIGSYS | 0x80 },
		      { SECCOMP_RET_TRACE | 7, ENOSYS << 8 },	  { SECCOMP_RET_LOG, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seccomp_program program = with_action(cases[i].action, 0);
		int status = run_under(&program, call_getppid);

		cr_expect_eq(status & ~0x80, cases[i].status & ~0x80, "action 0x%x: status 0x%x", cases[i].action,
			     status);
		seccomp_program_done(&program);
	}
}

Test(seccomp_kernel, listener)
{
	struct seccomp_program program =
		with_action(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	cr_expect_eq(program.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	cr_expect_eq(run_under(&program, call_getppid), 0);
	seccomp_program_done(&program);
}

Test(seccomp_kernel, flags)
{
	struct seccomp_program program = with_action(
		SECCOMP_RET_ERRNO | 1, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
					       SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	cr_expect_eq(program.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	cr_expect_eq(run_under(&program, call_getppid), 1 << 8);
	seccomp_program_done(&program);
}

/* ---- what it costs ---- */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

#define ROUNDS 51

/* Microseconds that seccomp(2) takes, in a child. */
static double time_install(const struct seccomp_program *program)
{
	int fds[2], listener_fd;
	double took = 0;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		took = now();
		seccomp_install(program, &listener_fd, NULL);
		took = now() - took;
		_exit(write(fds[1], &took, sizeof(took)) < 0);
	}
	cr_assert_eq(read(fds[0], &took, sizeof(took)), (ssize_t)sizeof(took));
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	return took;
}

/* The mean of instructions that a call of x86_64 runs through. */
static double mean_steps(const struct seccomp_program *program)
{
	size_t sum = 0, steps = 0;
	uint32_t answer;

	for (int nr = 0; nr < 450; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };

		bpf_simulator_run(program->instructions, program->n, &data, &answer, &steps);
		sum += steps;
	}
	return (double)sum / 450;
}

static void print_costs(const char *name, const struct seccomp_program *program, double *install, double *make, size_t n)
{
	printf("%-12s %5zu instructions, %5.1f run on average, made in %7.1f us, installed in %6.1f us\n", name,
	       program->n, mean_steps(program), median(make, n), median(install, n));
}

Test(seccomp_kernel, costs)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct plan_seccomp *plan = seccomp_profile_engine(arena);
	struct seccomp_program ours = { 0 }, theirs = { 0 };
	double install[2][ROUNDS], make[2][ROUNDS];
	const unsigned n_rounds = rounds_of(ROUNDS);

	for (size_t i = 0; i < n_rounds; i++) {
		seccomp_program_done(&ours);
		free(theirs.instructions);
		make[0][i] = now();
		get(plan, &ours);
		make[0][i] = now() - make[0][i];
		make[1][i] = now();
		theirs.instructions = seccomp_libseccomp_compile(plan, &theirs.n);
		make[1][i] = now() - make[1][i];
		install[0][i] = time_install(&ours);
		install[1][i] = time_install(&theirs);
	}
	print_costs("ours", &ours, install[0], make[0], n_rounds);
	print_costs("libseccomp", &theirs, install[1], make[1], n_rounds);
	cr_expect_lt(ours.n, theirs.n);
	cr_expect_lt(mean_steps(&ours), 25.0);
	seccomp_program_done(&ours);
	free(theirs.instructions);
}
