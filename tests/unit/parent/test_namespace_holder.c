/* Namespaces that a process of their own makes, with the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "parent/namespace_holder.h"
#include "tests/support/scratch.h"

static ino_t namespace_of(pid_t pid, const char *kind)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	cr_assert_eq(stat(path, &status), 0, "%s", path);
	return status.st_ino;
}

static bool is_new(const struct namespace_holder *holder, const char *kind)
{
	return namespace_of(namespace_holder_pid(holder), kind) != namespace_of(getpid(), kind);
}

static struct namespace_holder *begin(uint64_t kinds, bool at_once)
{
	struct namespace_holder *holder = NULL;
	struct error err = { 0 };

	cr_assert_eq(namespace_holder_begin(kinds, at_once, &holder, &err), 0, "%s", err.message);
	return holder;
}

static void await_end(struct namespace_holder *holder)
{
	struct error err = { 0 };

	cr_assert_eq(namespace_holder_await_end(holder, &err), 0, "%s", err.message);
}

/* In a process of its own, whose namespaces nobody else needs. */
static bool loopback_is_up(const struct namespace_holder *holder)
{
	struct ifreq request = { .ifr_name = "lo" };
	char path[64];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", namespace_holder_pid(holder));
	pid = fork();
	if (pid == 0) {
		int fd = -1;

		if (setns(open(path, O_RDONLY | O_CLOEXEC), CLONE_NEWNET) == 0)
			fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		_exit(ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

Test(namespace_holder, all_is_there_on_return_where_that_is_asked_for)
{
	struct namespace_holder *holder = begin(NAMESPACE_HOLDER_KINDS, /* at_once= */ true);

	cr_expect(is_new(holder, "user") && is_new(holder, "net") && is_new(holder, "ipc") && is_new(holder, "uts"));
	await_end(holder);
	cr_expect(loopback_is_up(holder));
	namespace_holder_free(holder);
}

Test(namespace_holder, all_is_there_once_it_was_waited_for)
{
	struct namespace_holder *holder = begin(NAMESPACE_HOLDER_KINDS, /* at_once= */ false);
	struct error err = { 0 };

	cr_expect(is_new(holder, "user"));
	cr_assert_eq(namespace_holder_await_namespaces(holder, &err), 0, "%s", err.message);
	cr_expect(is_new(holder, "net") && is_new(holder, "ipc") && is_new(holder, "uts"));
	await_end(holder);
	cr_expect(loopback_is_up(holder));
	namespace_holder_free(holder);
}

Test(namespace_holder, makes_what_it_is_told_to_and_a_user_namespace)
{
	struct namespace_holder *holder = begin(CLONE_NEWIPC | CLONE_NEWNS, /* at_once= */ false);

	await_end(holder);
	cr_expect_eq(namespace_holder_kinds(holder), CLONE_NEWUSER | CLONE_NEWIPC);
	cr_expect(is_new(holder, "user") && is_new(holder, "ipc"));
	cr_expect_not(is_new(holder, "net") || is_new(holder, "uts") || is_new(holder, "mnt"));
	namespace_holder_free(holder);
}

/* Nobody waits for ever, and nobody takes the host's namespaces for new ones. */
Test(namespace_holder, an_end_without_a_word_is_an_error_each_time)
{
	int n_without = 0;

	/* It may be quicker than the signal, but not each time. */
	for (int i = 0; i < 20; i++) {
		struct namespace_holder *holder = begin(CLONE_NEWNET, /* at_once= */ false);
		struct error err = { 0 };
		int rc;

		namespace_holder_end(holder);
		rc = namespace_holder_await_end(holder, &err);
		cr_expect(rc == 0 || rc == -ECHILD);
		cr_expect_eq(namespace_holder_await_end(holder, &err), rc);
		cr_expect_eq(namespace_holder_await_namespaces(holder, &err), rc);
		n_without += rc < 0;
		namespace_holder_free(holder);
	}
	cr_expect_gt(n_without, 0);
}

Test(namespace_holder, leaves_our_signals_processors_and_descriptors_as_they_were)
{
	size_t n_fds = scratch_count_fds();
	cpu_set_t before, after;
	sigset_t blocked;
	struct namespace_holder *holder;

	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	holder = begin(NAMESPACE_HOLDER_KINDS, /* at_once= */ false);
	await_end(holder);
	cr_assert_eq(sched_getaffinity(namespace_holder_pid(holder), sizeof(after), &after), 0);
	cr_expect(CPU_EQUAL(&before, &after));
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_expect(CPU_EQUAL(&before, &after));
	cr_assert_eq(sigprocmask(SIG_SETMASK, NULL, &blocked), 0);
	cr_expect_eq(sigismember(&blocked, SIGTERM), 0);
	namespace_holder_free(holder);
	cr_expect_eq(scratch_count_fds(), n_fds);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
}
