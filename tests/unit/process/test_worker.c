#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "shim/process/worker.h"
#include "tests/unit/process/lifetime.h"

#define MS UINT64_C(1000000)

struct answer {
	unsigned n;
	bool has_failed, takes_nothing;
	struct error err;
	struct worker_outcome outcome;
};

struct shared { /* with the workers */
	volatile pid_t test_pid, worker_pid, helper_pid, made_pid;
	volatile int enter_fd, kept_fd, other_fd; /* descriptors; afterwards whether they are open in run */
	volatile bool signals_are_default, is_leader;
};

static struct loop *loop;
static struct reaper *reaper;
static struct shared *shared;
static struct answer answer;

static void begin(void)
{
	cr_assert_eq(loop_new(&loop, NULL), 0);
	cr_assert_eq(reaper_new(loop, &reaper, NULL), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
	shared->test_pid = getpid();
}

static void end(void)
{
	reaper_free(reaper);
	loop_free(loop);
}

TestSuite(worker, .init = begin, .fini = end);

#define UNTIL(condition)                                                             \
	do {                                                                         \
		uint64_t deadline_ = loop_now() + UINT64_C(20000000000);             \
		while (!(condition)) {                                               \
			cr_assert_lt(loop_now(), deadline_, "in vain: " #condition); \
			cr_assert_geq(loop_step(loop, 20), 0);                       \
		}                                                                    \
	} while (0)

static void take_answer(void *owner, struct worker_outcome *outcome, const struct error *err)
{
	cr_expect_eq(owner, &answer);
	answer.n++;
	answer.outcome = *outcome;
	if (!answer.takes_nothing)
		*outcome = WORKER_OUTCOME_NONE;
	answer.has_failed = err != NULL;
	if (err)
		answer.err = *err;
}

typedef int run_function(const void *context, struct worker_outcome *outcome, struct error *err);

static struct worker *start(run_function *run, uint64_t timeout)
{
	struct worker_options options = {
		.loop = loop,
		.reaper = reaper,
		.run = run,
		.context = shared,
		.keep_fd = -EBADF,
		.timeout = timeout,
		.done = take_answer,
		.owner = &answer,
	};
	struct worker *worker = NULL;
	struct error err = { 0 };

	cr_assert_eq(worker_start(&options, &worker, &err), 0, "%s", err.message);
	return worker;
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static int succeed(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)outcome;
	(void)err;
	shared->worker_pid = getpid();
	return context == shared ? 0 : -EINVAL;
}

Test(worker, success_is_answered_and_leaves_nothing)
{
	start(succeed, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(!answer.has_failed, "%s", answer.err.message);
	cr_expect(answer.outcome.has_returned);
	cr_expect_eq(answer.outcome.process.pid, 0);
	cr_expect_eq(answer.outcome.process.pidfd, -EBADF);
	UNTIL(is_gone(shared->worker_pid));
	cr_expect_eq(answer.n, 1);
}

static int refuse(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	return error_set(err, ERROR_REFUSED, EPERM, "the policy says no");
}

Test(worker, an_error_comes_over_as_it_is)
{
	start(refuse, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect(answer.outcome.has_returned, "it has undone its own");
	cr_expect_eq(answer.err.kind, ERROR_REFUSED);
	cr_expect_eq(answer.err.code, EPERM);
	cr_expect_str_eq(answer.err.message, "the policy says no");
}

static int say_neither(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)err;
	memset(&outcome->process.is_audited, 7, sizeof(outcome->process.is_audited));
	return 0;
}

static int fail_for_nothing(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	err->kind = (enum error_kind)99;
	err->code = EPERM;
	return -EPERM;
}

static int fail_beyond_errors(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	error_set(err, ERROR_REFUSED, EPERM, "the policy says no");
	return INT_MIN;
}

Test(worker, what_makes_no_sense_is_not_taken)
{
	run_function *const runs[] = { say_neither, fail_for_nothing, fail_beyond_errors };

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		answer.n = 0;
		start(runs[i], 10000 * MS);
		UNTIL(answer.n);
		cr_expect(answer.has_failed);
		cr_expect_not(answer.outcome.has_returned, "what it made is not known");
		cr_expect_eq(answer.err.kind, ERROR_INTERNAL);
		cr_expect(strstr(answer.err.message, "makes no sense"), "%zu: %s", i, answer.err.message);
	}
}

static int crash(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	(void)err;
	kill(getpid(), SIGSEGV); /* not raise: what a sanitizer makes of it is not the point */
	signal(SIGSEGV, SIG_DFL);
	return raise(SIGSEGV);
}

Test(worker, a_crash_is_named)
{
	start(crash, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect(!answer.outcome.has_returned);
	cr_expect_eq(answer.err.kind, ERROR_INTERNAL);
	cr_expect(strstr(answer.err.message, "killed by signal 11"), "%s", answer.err.message);
}

static int leave(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	(void)err;
	_exit(3);
}

Test(worker, an_exit_without_an_answer_is_named)
{
	start(leave, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect_eq(answer.err.kind, ERROR_INTERNAL);
	cr_expect(strstr(answer.err.message, "exited with 3"), "%s", answer.err.message);
}

static int hang(const void *context, struct worker_outcome *outcome, struct error *err)
{
	pid_t helper = fork();

	(void)context;
	(void)outcome;
	(void)err;
	if (helper == 0)
		lifetime_wait(shared->test_pid);
	shared->helper_pid = helper;
	shared->worker_pid = getpid();
	lifetime_wait(shared->test_pid);
}

Test(worker, a_hang_ends_with_what_it_started)
{
	/* Long enough for it to begin, also where the machine has other work. */
	start(hang, 2000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect(!answer.outcome.has_returned);
	cr_expect_eq(answer.err.kind, ERROR_TIMEOUT);
	cr_expect(strstr(answer.err.message, "within 2.000 s"), "%s", answer.err.message);
	cr_assert_gt(shared->worker_pid, 0);
	cr_expect(is_gone(shared->worker_pid), "it is dead before anybody undoes what it did");
	UNTIL(is_gone(shared->helper_pid));
}

/* As a hook, that leads a session of its own, and what that has left behind. */
static int hang_with_session(const void *context, struct worker_outcome *outcome, struct error *err)
{
	int ready[2];
	pid_t left;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	if (fork() == 0) {
		setsid();
		left = fork();
		if (left == 0)
			lifetime_wait(shared->test_pid);
		shared->made_pid = left;
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		lifetime_wait(shared->test_pid);
	}
	if (read(ready[0], &(char){ 0 }, 1) != 1)
		return -EIO;
	return hang(context, outcome, err);
}

Test(worker, sessions_that_it_started_end_with_it)
{
	struct worker *worker = start(hang_with_session, 60000 * MS);

	UNTIL(shared->worker_pid > 0);
	cr_assert_gt(shared->made_pid, 0);
	worker_cancel(worker);
	UNTIL(is_gone(shared->worker_pid) && is_gone(shared->made_pid));
}

Test(worker, a_cancelled_one_is_killed_and_silent)
{
	struct worker *worker = start(hang, 60000 * MS);

	UNTIL(shared->worker_pid > 0);
	worker_cancel(worker);
	UNTIL(is_gone(shared->worker_pid) && is_gone(shared->helper_pid));
	cr_expect_eq(answer.n, 0);
}

static int make_process(const void *context, struct worker_outcome *outcome, struct error *err)
{
	pid_t pid = fork();

	(void)context;
	(void)err;
	if (pid == 0)
		lifetime_wait(shared->test_pid);
	outcome->process.pid = pid;
	outcome->process.pidfd = sys_pidfd_open(pid, 0);
	snprintf(outcome->process.cgroup_path, sizeof(outcome->process.cgroup_path), "/a/b");
	return 0;
}

static void note_exit(void *context, int status, struct timespec at)
{
	(void)at;
	*(int *)context = status;
}

Test(worker, the_process_it_made_comes_over_with_its_descriptor)
{
	int status = -1;
	struct reaper_child child = { .exited = note_exit, .context = &status };

	start(make_process, 10000 * MS);
	UNTIL(answer.n);
	cr_assert(!answer.has_failed, "%s", answer.err.message);
	cr_assert_geq(answer.outcome.process.pidfd, 0);
	cr_expect(fcntl(answer.outcome.process.pidfd, F_GETFD) & FD_CLOEXEC);
	cr_expect_str_eq(answer.outcome.process.cgroup_path, "/a/b");
	cr_assert_eq(reaper_watch(reaper, &child, answer.outcome.process.pid, answer.outcome.process.pidfd, NULL), 0);
	cr_expect_eq(reaper_signal(&child, SIGKILL), 0, "the descriptor is that of the process");
	UNTIL(status >= 0);
	cr_expect_eq(status, 128 + SIGKILL);
}

static int bring_listener(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)err;
	outcome->process.denials_fd = memfd_create("listener", MFD_CLOEXEC);
	return 0;
}

Test(worker, a_listener_comes_over_without_a_process)
{
	int fd;

	start(bring_listener, 10000 * MS);
	UNTIL(answer.n);
	cr_assert(!answer.has_failed, "%s", answer.err.message);
	cr_expect_eq(answer.outcome.process.pidfd, -EBADF);
	fd = answer.outcome.process.denials_fd;
	cr_assert_geq(fd, 0);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL, "it is that very file");
	close(fd);
}

static int bring_all(const void *context, struct worker_outcome *outcome, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcome->output_fds); i++)
		outcome->output_fds[i] = memfd_create("output", MFD_CLOEXEC);
	outcome->process.newborn_fd = memfd_create("newborn", MFD_CLOEXEC);
	return make_process(context, outcome, err);
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(worker, what_nobody_takes_is_closed)
{
	unsigned before = count_descriptors();

	answer.takes_nothing = true;
	start(bring_all, 10000 * MS);
	UNTIL(answer.n);
	cr_assert(!answer.has_failed, "%s", answer.err.message);
	cr_assert_gt(answer.outcome.process.pid, 0);
	cr_expect_eq(count_descriptors(), before);
	kill(answer.outcome.process.pid, SIGKILL);
}

static int forget_descriptor(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)err;
	outcome->process.pid = 1;
	return 0;
}

Test(worker, a_process_without_a_descriptor_is_no_answer)
{
	start(forget_descriptor, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect_eq(answer.err.kind, ERROR_INTERNAL);
	cr_expect_eq(answer.outcome.process.pidfd, -EBADF);
}

/* Sends what no worker sends, over every socket that it finds. */
static int send_garbage(const void *context, struct worker_outcome *outcome, struct error *err)
{
	(void)context;
	(void)outcome;
	(void)err;
	for (int fd = 3; fd < 64; fd++)
		send(fd, "garbage", 7, MSG_NOSIGNAL);
	return 0;
}

Test(worker, garbage_is_an_error)
{
	start(send_garbage, 10000 * MS);
	UNTIL(answer.n);
	cr_expect(answer.has_failed);
	cr_expect_eq(answer.err.kind, ERROR_INTERNAL);
	cr_expect(strstr(answer.err.message, "sent 7 bytes"), "%s", answer.err.message);
}

static void pass_over(int number)
{
	(void)number;
}

static int look_around(const void *context, struct worker_outcome *outcome, struct error *err)
{
	struct sigaction action;
	sigset_t mask;

	(void)context;
	(void)outcome;
	(void)err;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGTERM, NULL, &action);
	shared->signals_are_default = !sigismember(&mask, SIGCHLD) && action.sa_handler == SIG_DFL;
	shared->is_leader = getpgrp() == getpid();
	shared->enter_fd = fcntl(shared->enter_fd, F_GETFD) >= 0;
	shared->kept_fd = fcntl(shared->kept_fd, F_GETFD) >= 0;
	shared->other_fd = fcntl(shared->other_fd, F_GETFD) >= 0;
	return 0;
}

static int enter(const void *context, struct error *err)
{
	(void)context;
	if (fcntl(shared->enter_fd, F_GETFD) < 0)
		return error_system(err, errno, "the descriptor is gone");
	return dup2(shared->enter_fd, STDIN_FILENO) < 0 ? error_system(err, errno, "dup2") : 0;
}

Test(worker, keeps_only_what_it_needs)
{
	struct worker_options options = { .loop = loop,
					  .reaper = reaper,
					  .enter = enter,
					  .run = look_around,
					  .context = shared,
					  .timeout = 10000 * MS,
					  .done = take_answer,
					  .owner = &answer };
	struct worker *worker;
	AUTO_CLOSE int kept_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
	AUTO_CLOSE int enter_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 90);
	AUTO_CLOSE int other_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 110);

	shared->kept_fd = options.keep_fd = kept_fd;
	shared->enter_fd = enter_fd;
	shared->other_fd = other_fd;
	signal(SIGTERM, pass_over);
	cr_assert_eq(worker_start(&options, &worker, NULL), 0);
	UNTIL(answer.n);
	cr_assert(!answer.has_failed, "%s", answer.err.message);
	cr_expect(shared->signals_are_default);
	cr_expect(shared->is_leader);
	cr_expect_eq(shared->enter_fd, 0, "used up before the work");
	cr_expect_eq(shared->kept_fd, 1);
	cr_expect_eq(shared->other_fd, 0);
	cr_expect_geq(fcntl(other_fd, F_GETFD), 0, "the shim's own stay open");
}

Test(worker, what_cannot_be_started_is_not_answered)
{
	struct worker_options options = { .loop = loop, .reaper = reaper, .run = succeed, .done = take_answer };
	struct worker *worker = NULL;
	struct error err = { 0 };
	int fds[1024], n = 0;

	while (n < 1024 && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	/* With no descriptor left, and then with one after the other. */
	while (n > 0 && worker_start(&options, &worker, &err) < 0) {
		cr_expect_eq(err.code, EMFILE, "%s", err.message);
		cr_expect_null(worker);
		close(fds[--n]);
	}
	while (n > 0)
		close(fds[--n]);
	cr_expect_eq(answer.n, 0);
	if (worker)
		worker_cancel(worker);
}
