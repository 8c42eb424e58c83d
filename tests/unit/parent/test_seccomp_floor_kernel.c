/* In the kernel: config.json's filter does not get past the floor, whatever it answers, also by way of its listener. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "base/fd.h"
#include "parent/seccomp/seccomp_compile.h"
#include "parent/seccomp/seccomp_compose.h"

/* What the kernel itself does not answer to a mount(2) of nothing. */
#define FLOOR_ERRNO EXDEV
#define WAIT_MS 20000

static const char *const probed_calls[] = { "mount", "getppid" };

static void compile(const struct plan_seccomp *plan, struct seccomp_program *program)
{
	struct error err = { 0 };

	cr_assert_eq(seccomp_compile(plan, program, &err), 0, "%s", err.message);
}

/* The first n_probed of the probed calls are answered with action; n_padding: rules for another call, which make the
 * program long. */
static void make(size_t n_probed, uint32_t action, size_t n_padding, struct seccomp_program *ret)
{
	static const char *const other[] = { "sysinfo" };
	AUTO_FREE struct plan_seccomp_rule *rules = calloc(n_padding + 1, sizeof(*rules));
	AUTO_FREE struct plan_seccomp_arg *args = calloc(n_padding + 1, sizeof(*args));
	struct plan_seccomp plan = { .enabled = true, .default_action = SECCOMP_RET_ALLOW, .rules = rules };

	for (; plan.n_rules < n_padding; plan.n_rules++) {
		args[plan.n_rules] = (struct plan_seccomp_arg){ 1, 0x100000000 + plan.n_rules, 0, "SCMP_CMP_EQ" };
		rules[plan.n_rules] = (struct plan_seccomp_rule){ other, 1, SECCOMP_RET_ERRNO | (uint32_t)plan.n_rules,
								  &args[plan.n_rules], 1 };
	}
	rules[plan.n_rules++] = (struct plan_seccomp_rule){ probed_calls, n_probed, action, NULL, 0 };
	compile(&plan, ret);
}

/* About half of what the kernel takes in one program. */
#define LONG 600

static void make_config(uint32_t action, size_t n_padding, struct seccomp_program *ret)
{
	make(ARRAY_SIZE(probed_calls), action, n_padding, ret);
}

/* mount is refused, the rest is allowed. */
static void make_floor(size_t n_padding, struct seccomp_program *ret)
{
	make(1, SECCOMP_RET_ERRNO | FLOOR_ERRNO, n_padding, ret);
}

/* ---- the container's side ---- */

#define GETPPID_WORKED 0x80

/* The exit status: the errno of mount, and whether getppid went through. */
static void run_child(const struct seccomp_program *program, int channel_fd)
{
	int listener_fd = -EBADF, answer;

	/* A test that fails leaves nobody behind. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_install(program, &listener_fd, NULL) < 0)
		_exit(99);
	if (fd_send(channel_fd, "x", 1, listener_fd) < 0)
		_exit(98);
	close(listener_fd);
	answer = syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) < 0 ? errno : 0;
	if (syscall(SYS_getppid) > 0)
		answer |= GETPPID_WORKED;
	_exit(answer);
}

/* ---- the listener that lets everything through ---- */

static size_t answer_continue(int listener_fd)
{
	struct pollfd waiting = { .fd = listener_fd, .events = POLLIN };
	size_t n = 0;

	while (poll(&waiting, 1, WAIT_MS) > 0 && (waiting.revents & POLLIN)) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

		cr_assert_eq(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &call), 0);
		answer.id = call.id;
		cr_assert_eq(ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
		n++;
	}
	cr_expect(waiting.revents & POLLHUP, "the child is gone");
	return n;
}

/* The child's answer; *ret_n_notified: calls that its listener was asked about. */
static int run(const struct seccomp_program *program, size_t *ret_n_notified)
{
	int channel[2], listener_fd = -EBADF, status = 0;
	char byte;
	pid_t pid;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		run_child(program, channel[1]);
	}
	close(channel[1]);
	fd_receive(channel[0], &byte, 1, &listener_fd);
	*ret_n_notified = listener_fd >= 0 ? answer_continue(listener_fd) : 0;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status 0x%x", status);
	close_and_reset(&listener_fd);
	close(channel[0]);
	return WEXITSTATUS(status);
}

/* The control: without a floor the listener is the last word. */
Test(seccomp_floor_kernel, without_a_floor_a_listener_lets_calls_through)
{
	struct seccomp_program config = { 0 };
	size_t n_notified;
	int answer;

	make_config(SECCOMP_RET_USER_NOTIF, 0, &config);
	answer = run(&config, &n_notified);
	cr_expect_eq(n_notified, 2);
	cr_expect(answer & GETPPID_WORKED);
	cr_expect_neq(answer & ~GETPPID_WORKED, FLOOR_ERRNO);
	seccomp_program_done(&config);
}

struct behind_a_floor {
	uint32_t action;
	bool getppid_works;
	size_t n_notified;
};

static const struct behind_a_floor cases[] = {
	{ SECCOMP_RET_USER_NOTIF, true, 1 },
	{ SECCOMP_RET_LOG, true, 0 },
	{ SECCOMP_RET_TRACE | 1, false, 0 }, /* without a tracer: ENOSYS */
	{ SECCOMP_RET_ALLOW, true, 0 },
};

static void check(const struct behind_a_floor *behind, size_t n_padding, bool stacked)
{
	struct seccomp_program config = { 0 }, floor = { 0 }, both = { 0 };
	struct error err = { 0 };
	size_t n_notified;
	int answer;

	make_config(behind->action, n_padding, &config);
	make_floor(n_padding, &floor);
	cr_assert_eq(seccomp_compose_or_stack(&config, &floor, &both, &err), 0, "%s", err.message);
	cr_assert_eq(both.n_floor > 0, stacked, "%zu instructions", both.n);
	answer = run(&both, &n_notified);
	cr_expect_eq(answer & ~GETPPID_WORKED, FLOOR_ERRNO, "action 0x%x: %d", behind->action, answer);
	cr_expect_eq(!!(answer & GETPPID_WORKED), behind->getppid_works, "action 0x%x", behind->action);
	cr_expect_eq(n_notified, behind->n_notified, "action 0x%x: %zu", behind->action, n_notified);
	seccomp_program_done(&both);
}

Test(seccomp_floor_kernel, nothing_gets_past_a_composed_floor)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i], 0, false);
}

Test(seccomp_floor_kernel, nothing_gets_past_a_stacked_floor)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i], LONG, true);
}

/* Of two refusals config.json's is the one that counts, both ways. */
Test(seccomp_floor_kernel, of_equal_answers_config_counts)
{
	for (size_t n_padding = 0; n_padding <= LONG; n_padding += LONG) {
		struct seccomp_program config = { 0 }, floor = { 0 }, both = { 0 };
		size_t n_notified;

		make_config(SECCOMP_RET_ERRNO | ENOTTY, n_padding, &config);
		make_floor(n_padding, &floor);
		cr_assert_eq(seccomp_compose_or_stack(&config, &floor, &both, NULL), 0);
		cr_assert_eq(both.n_floor > 0, n_padding > 0);
		cr_expect_eq(run(&both, &n_notified), ENOTTY);
		seccomp_program_done(&both);
	}
}
