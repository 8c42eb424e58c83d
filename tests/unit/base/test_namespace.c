#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/namespace.h"
#include "tests/support/scratch.h"

Test(namespace, opens_what_is_a_namespace)
{
	AUTO_CLOSE int fd = namespace_open("/proc/self/ns/net");

	cr_assert_geq(fd, 0);
	cr_expect_eq(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWNET);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_expect_eq(namespace_open("/proc/self/ns/none"), -ENOENT);
}

/* To open them does something: inotify(7) tells of each open that is more than O_PATH. */
Test(namespace, opens_nothing_else, .timeout = 20)
{
	SCRATCH(scratch);
	AUTO_CLOSE int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[256], fifo[256], event[256];

	scratch_file(&scratch, "file", "", 0600);
	cr_assert_eq(mkfifoat(scratch.fd, "fifo", 0600), 0);
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	snprintf(fifo, sizeof(fifo), "%s/fifo", scratch.path);
	cr_assert_geq(inotify_add_watch(watch_fd, path, IN_OPEN), 0);
	cr_expect_eq(namespace_open(path), -EINVAL);
	cr_expect_eq(namespace_open(fifo), -EINVAL);
	cr_expect_eq(namespace_open("/dev/ptmx"), -EINVAL);
	cr_expect_eq(namespace_open("/proc/self/status"), -EINVAL);
	cr_expect_lt(read(watch_fd, event, sizeof(event)), 0, "it was opened");
}

Test(namespace, knows_its_own)
{
	AUTO_CLOSE int net_fd = namespace_open("/proc/self/ns/net");
	AUTO_CLOSE int user_fd = namespace_open("/proc/self/ns/user");

	cr_expect_str_eq(namespace_own_file(CLONE_NEWNS), "/proc/self/ns/mnt");
	cr_expect_null(namespace_own_file(0));
	cr_expect(namespace_is_own(net_fd, CLONE_NEWNET));
	cr_expect(namespace_is_own(user_fd, CLONE_NEWUSER));
	cr_expect_not(namespace_is_own(user_fd, CLONE_NEWNET));
	cr_expect(namespace_is_own(-1, CLONE_NEWNET), "who can't tell is careful");
}
