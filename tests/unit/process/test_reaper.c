#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "shim/process/reaper.h"
#include "tests/unit/process/lifetime.h"

struct observed {
	struct reaper_child child;
	unsigned n;
	int status;
	struct timespec at;
};

static struct loop *loop;
static struct reaper *reaper;

static void begin(void)
{
	cr_assert_eq(loop_new(&loop, NULL), 0);
	cr_assert_eq(reaper_new(loop, &reaper, NULL), 0);
}

static void end(void)
{
	reaper_free(reaper);
	loop_free(loop);
}

TestSuite(reaper, .init = begin, .fini = end);

#define UNTIL(condition)                                                             \
	do {                                                                         \
		uint64_t deadline_ = loop_now() + UINT64_C(20000000000);             \
		while (!(condition)) {                                               \
			cr_assert_lt(loop_now(), deadline_, "in vain: " #condition); \
			cr_assert_geq(loop_step(loop, 20), 0);                       \
		}                                                                    \
	} while (0)

static void observe(void *context, int status, struct timespec at)
{
	struct observed *observed = context;

	observed->n++;
	observed->status = status;
	observed->at = at;
}

static void watch(struct observed *observed, pid_t pid)
{
	*observed = (struct observed){ .child = { .exited = observe, .context = observed } };
	cr_assert_gt(pid, 0);
	cr_assert_eq(reaper_watch(reaper, &observed->child, pid, sys_pidfd_open(pid, 0), NULL), 0);
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static pid_t fork_exiting(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static pid_t fork_waiting(void)
{
	pid_t test = getpid(), pid = fork();

	if (pid == 0)
		lifetime_wait(test);
	return pid;
}

Test(reaper, tells_the_exit_status)
{
	struct observed observed;
	pid_t pid = fork_exiting(42);

	watch(&observed, pid);
	UNTIL(observed.n);
	cr_expect_eq(observed.status, 42);
	cr_expect_gt(observed.at.tv_sec, 0);
	cr_expect(is_gone(pid));
	cr_expect_eq(reaper_signal(&observed.child, 0), -ESRCH);
}

Test(reaper, tells_a_signal_as_a_shell_does)
{
	struct observed observed;

	watch(&observed, fork_waiting());
	cr_expect_eq(reaper_signal(&observed.child, 0), 0);
	cr_expect_eq(reaper_signal(&observed.child, SIGKILL), 0);
	UNTIL(observed.n);
	cr_expect_eq(observed.status, 128 + SIGKILL);
}

Test(reaper, a_child_never_watched_has_no_process)
{
	struct reaper_child child = { 0 };

	cr_expect_eq(reaper_signal(&child, SIGKILL), -ESRCH);
	reaper_forget(reaper, &child);
}

Test(reaper, refuses_what_is_no_process)
{
	struct observed observed = { .child = { .exited = observe, .context = &observed } };
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct error err = { 0 };

	cr_expect_lt(reaper_watch(reaper, &observed.child, 0, null_fd, &err), 0);
	cr_expect_eq(err.kind, ERROR_INTERNAL);
	cr_expect_lt(reaper_watch(reaper, &observed.child, getpid(), -EBADF, &err), 0);
	cr_expect_lt(reaper_watch(reaper, &observed.child, getpid(), null_fd, &err), 0, "epoll can't watch that");
	cr_expect_geq(fcntl(null_fd, F_GETFD), 0, "on failure the descriptor stays the caller's");
}

Test(reaper, what_is_forgotten_is_reaped_without_its_owner)
{
	struct observed observed;
	pid_t pid = fork_waiting();

	watch(&observed, pid);
	reaper_forget(reaper, &observed.child);
	kill(pid, SIGKILL);
	UNTIL(is_gone(pid));
	cr_expect_eq(observed.n, 0);
}

/* A worker: makes a grandchild, says its number, and ends when it is told to. */
static pid_t fork_worker(int *ret_go_fd, int *ret_number_fd)
{
	int go[2], number[2];
	pid_t pid;
	char byte;

	cr_assert_eq(pipe2(go, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(number, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		pid_t grandchild = fork_exiting(9);

		close(go[1]);
		if (write(number[1], &grandchild, sizeof(grandchild)) < 0)
			_exit(1);
		_exit(read(go[0], &byte, 1) < 0);
	}
	close(go[0]);
	close(number[1]);
	*ret_go_fd = go[1];
	*ret_number_fd = number[0];
	return pid;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

Test(reaper, waits_without_spinning_until_an_ended_process_is_ours)
{
	struct observed observed, worker;
	int go_fd, number_fd, n_steps = 0;
	pid_t worker_pid = fork_worker(&go_fd, &number_fd), pid;
	uint64_t until, cpu;

	cr_assert_eq(read(number_fd, &pid, sizeof(pid)), sizeof(pid));
	watch(&worker, worker_pid);
	watch(&observed, pid);
	cpu = cpu_ns();
	for (until = loop_now() + UINT64_C(200000000); loop_now() < until; n_steps++)
		loop_step(loop, 50);
	cr_expect_eq(observed.n, 0, "it is the worker's child still");
	cr_expect_lt(n_steps, 100, "%d steps, %lu ns: epoll spins", n_steps, (unsigned long)(cpu_ns() - cpu));
	close(go_fd);
	UNTIL(observed.n);
	cr_expect_eq(observed.status, 9);
	UNTIL(worker.n);
	close(number_fd);
}

static void watch_the_made(void *context, int status, struct timespec at)
{
	struct observed *worker = context;

	(void)status;
	(void)at;
	worker->n++;
	/* The message says what it made: only now does anybody know. */
	watch(worker + 1, worker[1].status);
}

Test(reaper, hears_the_known_before_it_takes_a_zombie_for_an_orphan)
{
	struct observed pair[2] = { 0 };
	int go_fd, number_fd;
	pid_t worker_pid = fork_worker(&go_fd, &number_fd), pid;
	siginfo_t info;

	cr_assert_eq(read(number_fd, &pid, sizeof(pid)), sizeof(pid));
	pair[0].child = (struct reaper_child){ .exited = watch_the_made, .context = pair };
	pair[1].status = pid;
	cr_assert_eq(reaper_watch(reaper, &pair[0].child, worker_pid, sys_pidfd_open(worker_pid, 0), NULL), 0);
	close(go_fd);
	/* Both are zombies of ours before the loop gets to see either. */
	cr_assert_eq(waitid(P_PID, (id_t)worker_pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	UNTIL(pair[1].n);
	cr_expect_eq(pair[1].status, 9, "not lost as an orphan's");
	close(number_fd);
}

Test(reaper, reaps_orphans_by_the_thousand)
{
	pid_t last = 0;
	int numbers[2];

	cr_assert_eq(pipe2(numbers, O_CLOEXEC), 0);
	if (fork() == 0) {
		for (int i = 0; i < 1000; i++)
			last = fork_exiting(0);
		_exit(write(numbers[1], &last, sizeof(last)) < 0);
	}
	close(numbers[1]);
	cr_assert_eq(read(numbers[0], &last, sizeof(last)), sizeof(last));
	UNTIL(waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD);
	cr_expect(is_gone(last));
	close(numbers[0]);
}

static void forget_other(void *context, int status, struct timespec at)
{
	struct observed *pair = context;

	(void)status;
	(void)at;
	pair[0].n++;
	reaper_forget(reaper, &pair[1].child);
}

Test(reaper, an_owner_may_forget_others_while_it_is_told)
{
	struct observed pair[2];
	pid_t first, second;
	siginfo_t info;

	first = fork_exiting(0);
	second = fork_exiting(0);
	watch(&pair[1], second);
	pair[0] = (struct observed){ .child = { .exited = forget_other, .context = pair } };
	cr_assert_eq(reaper_watch(reaper, &pair[0].child, first, sys_pidfd_open(first, 0), NULL), 0);
	cr_assert_eq(waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT), 0);
	UNTIL(is_gone(first) && is_gone(second));
	cr_expect_eq(pair[0].n, 1);
	cr_expect_leq(pair[1].n, 1);
}
