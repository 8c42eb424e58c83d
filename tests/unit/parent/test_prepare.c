/* Detached mounts of a whole plan: what goes wrong names its place, and nothing stays behind. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "child/mount_make.h"
#include "parent/prepare.h"
#include "tests/support/scratch.h"

static const struct prepare_means privileged = { .privileged = true, .root_mount_fd = -EBADF };
static const struct prepare_means rootless = { .privileged = false, .root_mount_fd = -EBADF };

static void require_root(void)
{
	int fd = geteuid() == 0 ? mount_make_filesystem("tmpfs", NULL, 0, 0, NULL) : -EPERM;

	if (fd < 0)
		cr_skip_test("needs root and fsopen(2)");
	close(fd);
}

static struct plan plan_of(const char *root, const struct plan_mount *mounts, size_t n)
{
	return (struct plan){ .namespaces = { .create = CLONE_NEWNS },
			      .rootfs = { .path = root, .mounts = mounts, .n_mounts = n } };
}

static struct plan_mount tmpfs(enum plan_mount_maker maker)
{
	return (struct plan_mount){
		.kind = PLAN_MOUNT_FILESYSTEM, .maker = maker, .where = "mounts[0]", .destination = "/tmp", .type = "tmpfs"
	};
}

Test(prepare, without_a_mount_namespace_there_is_nothing_to_do)
{
	const struct plan_mount mount = tmpfs(PLAN_MAKER_PARENT);
	struct plan plan = plan_of("/nonexistent", &mount, 1);
	struct prepared prepared;

	plan.namespaces.create = 0;
	cr_assert_eq(prepare_mounts(&plan, &privileged, &prepared, NULL), 0);
	cr_expect_eq(prepared.n_mounts, 0);
	cr_expect_lt(prepared.root_fd, 0);
	prepare_done(&prepared);
}

Test(prepare, unprivileged_leaves_it_to_the_child)
{
	const struct plan_mount mount = tmpfs(PLAN_MAKER_CHILD);
	struct plan plan = plan_of("/nonexistent", &mount, 1);
	struct prepared prepared;

	cr_assert_eq(prepare_mounts(&plan, &rootless, &prepared, NULL), 0);
	cr_expect_lt(prepared.root_fd, 0);
	cr_assert_eq(prepared.n_mounts, 1);
	cr_expect_eq(prepared.mount_fds[0], -EBADF);
	prepare_done(&prepared);
}

Test(prepare, root_and_mounts_are_clones)
{
	const struct plan_mount mounts[] = { tmpfs(PLAN_MAKER_PARENT), tmpfs(PLAN_MAKER_CHILD) };
	struct error err = { 0 };
	struct prepared prepared;
	size_t before;
	SCRATCH(scratch);
	struct plan plan = plan_of(scratch.path, mounts, 2);

	require_root();
	scratch_directory(&scratch, "inside");
	before = scratch_count_fds();
	cr_assert_eq(prepare_mounts(&plan, &privileged, &prepared, &err), 0, "%s", err.message);
	cr_expect_eq(faccessat(prepared.root_fd, "inside", F_OK, 0), 0);
	cr_expect_geq(prepared.mount_fds[0], 0);
	cr_expect_eq(prepared.mount_fds[1], -EBADF);
	prepare_done(&prepared);
	cr_expect_eq(scratch_count_fds(), before);
	prepare_done(&prepared);
}

Test(prepare, root_has_to_be_a_directory)
{
	struct prepared prepared = { .root_fd = 77 };
	struct error err = { 0 };
	SCRATCH(scratch);
	char path[256];
	struct plan plan = plan_of(path, NULL, 0);

	require_root();
	scratch_file(&scratch, "file", "", 0600);
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	cr_expect_eq(prepare_mounts(&plan, &privileged, &prepared, &err), -ENOTDIR);
	cr_expect_not_null(strstr(err.message, "root.path"), "%s", err.message);
	snprintf(path, sizeof(path), "%s/none", scratch.path);
	cr_expect_eq(prepare_mounts(&plan, &privileged, &prepared, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, path), "%s", err.message);
	cr_expect_eq(prepared.root_fd, 77, "the output stays as it was");
}

Test(prepare, failure_closes_what_was_made)
{
	const struct plan_mount mounts[] = { tmpfs(PLAN_MAKER_PARENT),
					     { .kind = PLAN_MOUNT_BIND,
					       .maker = PLAN_MAKER_PARENT,
					       .where = "mounts[1]",
					       .destination = "/data",
					       .source = "/nonexistent/volume" } };
	struct prepared prepared;
	struct error err = { 0 };
	size_t before;
	SCRATCH(scratch);
	struct plan plan = plan_of(scratch.path, mounts, 2);

	require_root();
	before = scratch_count_fds();
	cr_expect_eq(prepare_mounts(&plan, &privileged, &prepared, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "mounts[1] (/data)"), "%s", err.message);
	cr_expect_eq(scratch_count_fds(), before);
}
