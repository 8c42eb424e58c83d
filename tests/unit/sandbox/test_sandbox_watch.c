#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "sandbox/sandbox_watch.h"

/* poll(2) refuses more descriptors than may be open. */
Test(sandbox_watch, kills_what_it_cant_watch, .timeout = 60)
{
	struct sandbox_output output[2] = { 0 };
	struct sandbox_watch watch = { .init_fd = -EBADF,
				       .signal_fd = -EBADF,
				       .work_fd = -EBADF,
				       .in = { .fd = -EBADF, .peer_fd = -EBADF },
				       .out = { { .fd = -EBADF, .peer_fd = -EBADF, .output = &output[0] },
						{ .fd = -EBADF, .peer_fd = -EBADF, .output = &output[1] } } };
	const struct rlimit few = { .rlim_cur = 4, .rlim_max = 4 };
	struct error err = { 0 };

	watch.pid = fork();
	cr_assert_geq(watch.pid, 0);
	if (watch.pid == 0) {
		pause();
		_exit(0);
	}
	watch.pidfd = sys_pidfd_open(watch.pid, 0);
	cr_assert_geq(watch.pidfd, 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_expect_lt(sandbox_watch_until_end(&watch, &err), 0);
	cr_expect_eq(err.code, EINVAL, "%s", err.message);
	/* Where it was not killed, it is still there to be waited for. */
	cr_expect_eq(kill(watch.pid, 0), -1);
	kill(watch.pid, SIGKILL);
	close(watch.pidfd);
}

Test(sandbox_watch, signals_that_ask_to_stop)
{
	AUTO_CLOSE int fd = -EBADF;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	cr_assert_geq(fd, 0);
	cr_expect_eq(sandbox_watch_stop_signal(fd), 0);
	raise(SIGWINCH);
	cr_expect_eq(sandbox_watch_stop_signal(fd), 0);
	raise(SIGWINCH);
	raise(SIGTERM);
	cr_expect_eq(sandbox_watch_stop_signal(fd), SIGTERM);
	cr_expect_eq(sandbox_watch_stop_signal(fd), 0);
}
