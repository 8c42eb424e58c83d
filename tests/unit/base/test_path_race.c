/* Somebody inside the root who changes it while a path is made: whatever comes of it, nothing happens outside. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "tests/support/scratch.h"

#define ROUNDS 3000

/* Swaps root/a with root/b, again and again. */
static pid_t start_swapping(int root_fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		syscall(SYS_renameat2, root_fd, "a", root_fd, "b", RENAME_EXCHANGE);
}

/* Removes root/a/x and puts there, in turns, nothing, a link to the outside and a dangling link. */
static pid_t start_replacing(int root_fd, const char *outside)
{
	pid_t pid = fork();
	int rc = 0;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (unlinkat(root_fd, "a/x", 0) == 0 || unlinkat(root_fd, "a/x", AT_REMOVEDIR) == 0 || errno == ENOENT ||
	       errno == ENOTEMPTY) {
		rc |= symlinkat(outside, root_fd, "a/x");
		unlinkat(root_fd, "a/x", 0);
		rc |= symlinkat("../../../outside/dangling", root_fd, "a/x");
		unlinkat(root_fd, "a/x", 0);
		rc |= mkdirat(root_fd, "a/x", 0755);
	}
	_exit(rc ? 1 : 0);
}

static bool is_outside(int fd, const struct scratch *scratch)
{
	char link[64], path[512];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	cr_assert_gt(n, 0);
	path[n] = '\0';
	snprintf(link, sizeof(link), "%s/root", scratch->path + strlen(scratch->path) - 6);
	return !strstr(path, link);
}

static void make_and_look(const struct scratch *scratch, int root_fd)
{
	static const char *const paths[] = { "/a/x/y", "/a/x", "/b/x/../new", "/a/../b/x" };
	size_t n_made = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		AUTO_CLOSE int fd = path_make_in_root(root_fd, paths[i % ARRAY_SIZE(paths)], /* is_file= */ i & 1, 0755);

		if (fd < 0)
			continue;
		n_made++;
		cr_assert_not(is_outside(fd, scratch));
	}
	cr_expect_gt(n_made, 0, "the race never let anything be made: it shows nothing");
	cr_expect_eq(scratch_count(&(struct scratch){ .fd = openat(scratch->fd, "outside", O_RDONLY | O_CLOEXEC) }), 1,
		     "something was made outside");
}

static void race(pid_t (*start)(int root_fd, const char *outside))
{
	SCRATCH(scratch);
	AUTO_CLOSE int root_fd = -EBADF;
	char outside[256];
	pid_t pid;

	scratch_drop_root(&scratch);
	scratch_directory(&scratch, "root");
	scratch_directory(&scratch, "outside");
	scratch_file(&scratch, "outside/secret", "secret", 0600);
	snprintf(outside, sizeof(outside), "%s/outside", scratch.path);
	scratch_directory(&scratch, "root/a");
	scratch_link(&scratch, "root/b", outside);
	root_fd = openat(scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = start(root_fd, outside);
	cr_assert_gt(pid, 0);
	make_and_look(&scratch, root_fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static pid_t swap(int root_fd, const char *outside)
{
	(void)outside;
	return start_swapping(root_fd);
}

Test(path_race, directory_swapped_for_a_link_to_the_outside)
{
	race(swap);
}

Test(path_race, component_replaced_under_our_hands)
{
	race(start_replacing);
}
