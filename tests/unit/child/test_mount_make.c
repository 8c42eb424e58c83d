/* Detached mounts, which nobody but the test sees. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "child/mount_make.h"
#include "tests/support/scratch.h"

static void setup(void)
{
	int fd = geteuid() == 0 ? mount_make_filesystem("tmpfs", NULL, 0, 0, NULL) : -EPERM;

	if (fd < 0)
		cr_skip_test("needs root and fsopen(2)");
	close(fd);
}

TestSuite(mount_make, .init = setup);

static unsigned long flags_of(int fd)
{
	struct statvfs status = { 0 };

	cr_assert_eq(fstatvfs(fd, &status), 0);
	return status.f_flag;
}

static struct plan_mount bind_of(const char *source)
{
	return (struct plan_mount){
		.kind = PLAN_MOUNT_BIND, .where = "mounts[3]", .destination = "/data", .source = source
	};
}

Test(mount_make, file_system_with_options)
{
	static const struct plan_mount_option options[] = { { "size", "65536" }, { "mode", "0711" } };
	const struct plan_mount mount = { .kind = PLAN_MOUNT_FILESYSTEM,
					  .where = "mounts[0]",
					  .destination = "/tmp",
					  .source = "name",
					  .type = "tmpfs",
					  .options = options,
					  .n_options = 2,
					  .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	struct error err = { 0 };
	AUTO_CLOSE int fd = mount_make(&mount, -EBADF, &err);
	struct statvfs status;
	struct stat root;

	cr_assert_geq(fd, 0, "%s", err.message);
	cr_assert_eq(fstatvfs(fd, &status), 0);
	cr_expect_eq(status.f_blocks * status.f_bsize, 65536);
	cr_expect_eq(status.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY), ST_NOSUID | ST_NODEV | ST_NOEXEC);
	cr_assert_eq(fstat(fd, &root), 0);
	cr_expect_eq(root.st_mode, S_IFDIR | 0711);
}

/* The kernel's own words say more than an errno. */
Test(mount_make, refused_option_is_explained)
{
	static const struct plan_mount_option options[] = { { "mode", "not-a-mode" } };
	const struct plan_mount mount = { .kind = PLAN_MOUNT_FILESYSTEM,
					  .where = "mounts[7]",
					  .destination = "/tmp",
					  .type = "tmpfs",
					  .options = options,
					  .n_options = 1 };
	struct error err = { 0 };

	cr_assert_lt(mount_make(&mount, -EBADF, &err), 0);
	cr_expect_not_null(strstr(err.message, "mounts[7] (/tmp)"), "%s", err.message);
	cr_expect_not_null(strstr(err.message, "mode"), "%s", err.message);
}

Test(mount_make, unknown_file_system_is_named)
{
	struct error err = { 0 };

	cr_assert_eq(mount_make_filesystem("nonesuch", NULL, 0, 0, &err), -ENODEV);
	cr_expect_not_null(strstr(err.message, "nonesuch"), "%s", err.message);
}

/* Filled first, read-only afterwards: see mounts_make_readonly. */
Test(mount_make, what_has_to_be_filled_stays_writable)
{
	struct plan_mount mount = { .kind = PLAN_MOUNT_FILESYSTEM,
				    .where = "mounts[0]",
				    .destination = "/dev",
				    .type = "tmpfs",
				    .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	int fd = mount_make(&mount, -EBADF, NULL);

	cr_expect_eq(mkdirat(fd, "d", 0755), -1);
	cr_expect_eq(errno, EROFS);
	close(fd);
	mount.fill = true;
	fd = mount_make(&mount, -EBADF, NULL);
	cr_expect_eq(mkdirat(fd, "d", 0755), 0);
	cr_expect(flags_of(fd) & ST_NOSUID);
	close(fd);
}

Test(mount_make, bind_is_a_clone_with_attributes_of_its_own)
{
	SCRATCH(scratch);
	struct plan_mount mount = bind_of(scratch.path);
	struct error err = { 0 };
	AUTO_CLOSE int fd = -EBADF;

	mount.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
	fd = mount_make(&mount, -EBADF, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(mkdirat(fd, "d", 0755), -1);
	cr_expect_eq(errno, EROFS);
	cr_expect(flags_of(fd) & ST_NODEV);
	scratch_directory(&scratch, "still-writable");
	cr_expect_eq(faccessat(fd, "still-writable", F_OK, 0), 0);
}

Test(mount_make, bind_of_a_file)
{
	SCRATCH(scratch);
	struct plan_mount mount;
	struct error err = { 0 };
	AUTO_CLOSE int fd = -EBADF;
	struct stat status;
	char path[256];

	scratch_file(&scratch, "file", "x", 0600);
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	mount = bind_of(path);
	fd = mount_make(&mount, -EBADF, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_expect(S_ISREG(status.st_mode));
}

Test(mount_make, missing_source_is_named)
{
	struct plan_mount mount = bind_of("/nonexistent/source");
	struct error err = { 0 };

	cr_assert_eq(mount_make(&mount, -EBADF, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "mounts[3] (/data)"), "%s", err.message);
	cr_expect_not_null(strstr(err.message, "/nonexistent/source"), "%s", err.message);
}

Test(mount_make, each_setting_of_atime)
{
	static const struct {
		uint64_t set;
		unsigned long wanted;
	} list[] = {
		{ MOUNT_ATTR_NOATIME, ST_NOATIME },
		{ MOUNT_ATTR_STRICTATIME, 0 },
		{ MOUNT_ATTR_RELATIME, ST_RELATIME },
	};
	SCRATCH(scratch);
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct plan_mount mount = bind_of(scratch.path);
		AUTO_CLOSE int fd = -EBADF;

		mount.attr_set = list[i].set;
		mount.attr_clear = MOUNT_ATTR__ATIME;
		fd = mount_make(&mount, -EBADF, &err);
		cr_assert_geq(fd, 0, "%s", err.message);
		cr_expect_eq(flags_of(fd) & (ST_NOATIME | ST_RELATIME), list[i].wanted, "case %zu", i);
	}
}

Test(mount_make, clone_of_a_descriptor)
{
	SCRATCH(scratch);
	struct plan_mount mount = bind_of(NULL);
	struct error err = { 0 };
	AUTO_CLOSE int fd = -EBADF;

	mount.attr_set = MOUNT_ATTR_RDONLY;
	scratch_file(&scratch, "file", "x", 0600);
	fd = mount_make_clone(scratch.fd, &mount, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_expect_eq(faccessat(fd, "file", F_OK, 0), 0);
	cr_expect(flags_of(fd) & ST_RDONLY);
	cr_expect_eq(mount_make_clone(-EBADF, &mount, &err), -EBADF);
	cr_expect_not_null(strstr(err.message, "mounts[3] (/data)"), "%s", err.message);
}

Test(mount_make, leaves_no_descriptor_and_no_mount_behind)
{
	static const struct plan_mount_option wrong[] = { { "mode", "x" } };
	struct plan_mount mount = bind_of("/nonexistent");
	size_t before = scratch_count_fds();

	cr_expect_lt(mount_make(&mount, -EBADF, NULL), 0);
	cr_expect_lt(mount_make_filesystem("tmpfs", wrong, 1, 0, NULL), 0);
	cr_expect_lt(mount_make_filesystem("nonesuch", NULL, 0, 0, NULL), 0);
	mount = bind_of("/");
	mount.idmap = true; /* without a user namespace to take the maps from */
	cr_expect_lt(mount_make(&mount, -EBADF, NULL), 0);
	cr_expect_eq(scratch_count_fds(), before);
}

/* Who looked at the source before saw one thing; what is mounted has to be that. */
Test(mount_make, a_source_that_was_swapped_is_refused)
{
	SCRATCH(scratch);
	char path[160], magic[64];
	struct plan_mount mount = bind_of(path);
	AUTO_CLOSE int same_fd = -EBADF, dir_fd = -EBADF;
	struct error err = { 0 };
	struct stat status;

	snprintf(path, sizeof(path), "%s/source", scratch.path);
	scratch_directory(&scratch, "source");
	cr_assert_eq(stat(path, &status), 0);
	mount.source_checked = true;
	mount.source_device = status.st_dev;
	mount.source_inode = status.st_ino;
	same_fd = mount_make(&mount, -EBADF, &err);
	cr_expect_geq(same_fd, 0, "%s", err.message);
	cr_assert_eq(rmdir(path), 0);
	scratch_directory(&scratch, "other");
	scratch_link(&scratch, "source", "/etc");
	cr_expect_eq(mount_make(&mount, -EBADF, &err), -ESTALE);
	cr_expect_eq(err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(err.message, "mounts[3] (/data)"), "%s", err.message);
	/* Nothing was seen: nothing is let in, not even what is there now. */
	mount.source_device = mount.source_inode = 0;
	cr_expect_eq(mount_make(&mount, -EBADF, &err), -ESTALE);
	dir_fd = open("/etc", O_PATH | O_CLOEXEC);
	cr_assert_eq(fstat(dir_fd, &status), 0);
	snprintf(magic, sizeof(magic), "/proc/self/fd/%d", dir_fd);
	mount.source = magic;
	mount.source_device = status.st_dev;
	mount.source_inode = status.st_ino;
	cr_expect_eq(mount_make(&mount, -EBADF, &err), -ELOOP, "a magic link is no name");
}
