/* Taking folders away: an image makes them as deep and as many as it likes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_folder.h"
#include "tests/support/scratch.h"

#define DEPTH 400

static int enter(int *fd, const char *name)
{
	int next_fd = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (next_fd < 0)
		return -errno;
	close(*fd);
	*fd = next_fd;
	return 0;
}

/* A folder, a file and a folder with something in it on each level. */
static void make_deep(int dir_fd, const char *name)
{
	AUTO_CLOSE int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);

	cr_assert_eq(mkdirat(fd, name, 0700), 0);
	cr_assert_eq(enter(&fd, name), 0);
	for (int i = 0; i < DEPTH; i++) {
		cr_assert_eq(mkdirat(fd, "side", 0700), 0);
		cr_assert_eq(mkdirat(fd, "side/below", 0700), 0);
		close(openat(fd, "side/below/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		close(openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		cr_assert_eq(mkdirat(fd, "d", 0700), 0);
		cr_assert_eq(enter(&fd, "d"), 0);
	}
}

Test(sandbox_folder, trees_of_any_depth_go_with_few_descriptors)
{
	SCRATCH(scratch);
	const struct rlimit few = { .rlim_cur = 64, .rlim_max = 64 };
	size_t n_fds = scratch_count_fds();

	make_deep(scratch.fd, "left");
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_expect_eq(sandbox_folder_remove(scratch.fd, "left"), 0);
	cr_expect_eq(scratch_count(&scratch), 0);
	cr_expect_eq(scratch_count_fds(), n_fds);
}

/* What a removal that was itself cut off has left. */
Test(sandbox_folder, what_was_moved_up_before_is_in_nobodys_way)
{
	SCRATCH(scratch);

	scratch_directory(&scratch, "left");
	scratch_directory(&scratch, "left/aside-0");
	scratch_file(&scratch, "left/aside-0/file", "", 0600);
	scratch_file(&scratch, "left/aside-1", "", 0600);
	make_deep(scratch.fd, "left/root");
	cr_expect_eq(sandbox_folder_remove(scratch.fd, "left"), 0);
	cr_expect_eq(scratch_count(&scratch), 0);
}

Test(sandbox_folder, links_are_removed_and_not_followed)
{
	SCRATCH(scratch);

	scratch_directory(&scratch, "outside");
	scratch_file(&scratch, "outside/file", "", 0600);
	scratch_directory(&scratch, "left");
	scratch_link(&scratch, "left/link", "../outside");
	scratch_link(&scratch, "link", "outside");
	cr_expect_eq(sandbox_folder_remove(scratch.fd, "left"), 0);
	cr_expect_eq(sandbox_folder_remove(scratch.fd, "link"), 0);
	cr_expect_not(scratch_has(&scratch, "left"));
	cr_expect_not(scratch_has(&scratch, "link"));
	cr_expect(scratch_has(&scratch, "outside/file"));
	cr_expect_eq(sandbox_folder_remove(scratch.fd, "missing"), 0);
}

static void open_and_close(const struct brig *brig, const char *id)
{
	struct sandbox_folder folder;
	struct error err;

	cr_assert_eq(sandbox_folder_open(brig, id, &(struct pace){ 0 }, &folder, &err), 0, "%s", err.message);
	sandbox_folder_close(&folder);
}

#define ROUNDS 400

/* Between its mkdir(2) and its lock each takes what the other makes for one that was left: that one is made again. */
Test(sandbox_folder, two_that_begin_side_by_side_are_in_nobodys_way)
{
	SCRATCH(scratch);
	const struct brig brig = { .root = scratch.path };
	struct sandbox_folder folder;
	pid_t pid = fork();
	int n_failed = 0, status;

	for (int i = 0; i < ROUNDS; i++) {
		n_failed += sandbox_folder_open(&brig, pid == 0 ? "one" : "other", &(struct pace){ 0 }, &folder, NULL) <
			    0;
		sandbox_folder_close(&folder);
	}
	if (pid == 0)
		_exit(n_failed > 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_expect_eq(n_failed, 0);
	cr_expect_not(scratch_has(&scratch, ".sandbox/one"));
	cr_expect_not(scratch_has(&scratch, ".sandbox/other"));
}

/* With all that it has: the name's next sandbox was told that it is there, and nobody found its container any more. */
Test(sandbox_folder, what_a_killed_sandbox_of_that_name_left_is_taken_away_first)
{
	SCRATCH(scratch);
	const struct brig brig = { .root = scratch.path };
	struct sandbox_folder folder;
	struct error err = { 0 };
	int fd;

	scratch_directory(&scratch, ".sandbox");
	scratch_directory(&scratch, ".sandbox/new");
	scratch_directory(&scratch, ".sandbox/new/root");
	fd = openat(scratch.fd, ".sandbox/new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	cr_expect_eq(sandbox_folder_open(&brig, "new", &(struct pace){ 0 }, &folder, &err), -EEXIST);
	sandbox_folder_close(&folder);
	close(fd);
	cr_expect_eq(sandbox_folder_open(&brig, "new", &(struct pace){ 0 }, &folder, &err), 0, "%s", err.message);
	cr_expect_not(scratch_has(&scratch, ".sandbox/new/root"));
	sandbox_folder_close(&folder);
}

static int stop_at_third(void *context, struct error *err)
{
	int *n = context;

	return ++*n < 3 ? 0 : error_set(err, ERROR_SYSTEM, EINTR, "stopped");
}

Test(sandbox_folder, who_waits_for_others_may_be_told_to_stop)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	int n = 0;
	const struct pace pace = { .may_go_on = stop_at_third, .context = &n };
	AUTO_CLOSE int fd = -EBADF, other_fd = -EBADF;

	scratch_directory(&scratch, "shared");
	fd = openat(scratch.fd, "shared", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	other_fd = openat(scratch.fd, "shared", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(other_fd, LOCK_EX), 0);
	cr_expect_eq(sandbox_folder_lock(fd, &pace, &err), -EINTR);
	cr_expect_eq(n, 3);
	cr_expect_not_null(strstr(err.message, "another brig has locked"), "%s", err.message);
	cr_assert_eq(flock(other_fd, LOCK_UN), 0);
	cr_expect_eq(sandbox_folder_lock(fd, &pace, &err), 0);
}

/* Of earlier versions, in which a sandbox could have the name of what all of them share; and of a name's own, of this one. */
Test(sandbox_folder, only_what_no_sandbox_can_be_called_is_shared)
{
	SCRATCH(scratch);
	const struct brig brig = { .root = scratch.path };

	scratch_directory(&scratch, ".sandbox");
	scratch_directory(&scratch, ".sandbox/root-0123456789abcdef");
	scratch_directory(&scratch, ".sandbox/.root-0123456789abcdef");
	open_and_close(&brig, "other");
	cr_expect_not(scratch_has(&scratch, ".sandbox/root-0123456789abcdef"));
	cr_expect(scratch_has(&scratch, ".sandbox/.root-0123456789abcdef"));
}
