#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "child/copy_up.h"
#include "child/mount_make.h"
#include "tests/support/scratch.h"

/* from/ is what an image has, to/ the new file system. */
struct trees {
	struct scratch scratch, from, to; /* from and to: their fd alone */
};

static struct trees trees_new(void)
{
	struct trees trees = { .scratch = scratch_new() };

	umask(0);
	scratch_directory(&trees.scratch, "from");
	scratch_directory(&trees.scratch, "to");
	trees.from.fd = openat(trees.scratch.fd, "from", O_PATH | O_DIRECTORY | O_CLOEXEC);
	trees.to.fd = openat(trees.scratch.fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return trees;
}

static void trees_done_cleanup(struct trees *trees)
{
	close(trees->from.fd);
	close(trees->to.fd);
	scratch_done(&trees->scratch);
}
#define TREES(name) __attribute__((cleanup(trees_done_cleanup))) struct trees name = trees_new()

static void copy(const struct trees *trees)
{
	struct error err = { 0 };

	cr_assert_eq(copy_up(trees->from.fd, trees->to.fd, COPY_UP_ALL, &err), 0, "%s", err.message);
}

Test(copy_up, files_directories_and_links)
{
	TREES(trees);
	char text[64];

	scratch_file(&trees.from, "file", "content", 0640);
	scratch_file(&trees.from, "setuid", "x", 04755);
	scratch_file(&trees.from, "empty", "", 0);
	scratch_directory(&trees.from, "d");
	scratch_directory(&trees.from, "d/e");
	scratch_file(&trees.from, "d/e/deep", "deep", 0600);
	cr_assert_eq(fchmodat(trees.from.fd, "d", 01711, 0), 0);
	scratch_link(&trees.from, "d/link", "../file");
	copy(&trees);
	cr_expect_str_eq(scratch_text(&trees.to, "file", text, sizeof(text)), "content");
	cr_expect_eq(scratch_mode(&trees.to, "file"), S_IFREG | 0640);
	cr_expect_eq(scratch_mode(&trees.to, "setuid"), S_IFREG | 04755);
	cr_expect_eq(scratch_mode(&trees.to, "empty"), S_IFREG);
	cr_expect_eq(scratch_mode(&trees.to, "d"), S_IFDIR | 01711);
	cr_expect_str_eq(scratch_text(&trees.to, "d/e/deep", text, sizeof(text)), "deep");
	cr_expect_str_eq(scratch_text(&trees.to, "d/link", text, sizeof(text)), "../file");
	cr_expect_eq(scratch_count(&trees.to), 4);
}

Test(copy_up, owners_and_the_mode_of_the_top)
{
	TREES(trees);
	struct stat status;

	if (geteuid() != 0)
		cr_skip_test("giving files away needs root");
	scratch_file(&trees.from, "file", "", 0600);
	scratch_link(&trees.from, "link", "/etc/shadow");
	cr_assert_eq(fchownat(trees.from.fd, "file", 1234, 5678, 0), 0);
	cr_assert_eq(fchownat(trees.from.fd, "link", 4321, 8765, AT_SYMLINK_NOFOLLOW), 0);
	cr_assert_eq(fchownat(trees.scratch.fd, "from", 11, 12, 0), 0);
	cr_assert_eq(fchmodat(trees.scratch.fd, "from", 01777, 0), 0);
	copy(&trees);
	cr_assert_eq(fstatat(trees.to.fd, "file", &status, 0), 0);
	cr_expect(status.st_uid == 1234 && status.st_gid == 5678);
	cr_assert_eq(fstatat(trees.to.fd, "link", &status, AT_SYMLINK_NOFOLLOW), 0);
	cr_expect(status.st_uid == 4321 && status.st_gid == 8765, "of the link itself");
	cr_assert_eq(fstat(trees.to.fd, &status), 0);
	cr_expect(status.st_uid == 11 && status.st_gid == 12);
	cr_expect_eq(status.st_mode, S_IFDIR | 01777);
	cr_assert_eq(stat("/etc/shadow", &status), 0);
	cr_expect_neq(status.st_uid, 4321);
}

/* Links are copied as text: nothing of the host that they name comes along, or is written to. */
Test(copy_up, links_out_are_copied_and_not_followed)
{
	TREES(trees);
	char text[256], outside[256];

	scratch_directory(&trees.scratch, "outside");
	scratch_file(&trees.scratch, "outside/secret", "secret", 0600);
	snprintf(outside, sizeof(outside), "%s/outside", trees.scratch.path);
	scratch_link(&trees.from, "directory", outside);
	scratch_link(&trees.from, "up", "../outside/secret");
	scratch_link(&trees.from, "self", "self");
	scratch_link(&trees.from, "magic", "/proc/self/root");
	copy(&trees);
	cr_expect(S_ISLNK(scratch_mode(&trees.to, "directory")));
	cr_expect_str_eq(scratch_text(&trees.to, "directory", text, sizeof(text)), outside);
	cr_expect(S_ISLNK(scratch_mode(&trees.to, "up")));
	cr_expect_str_eq(scratch_text(&trees.to, "self", text, sizeof(text)), "self");
	cr_expect(S_ISLNK(scratch_mode(&trees.to, "magic")));
}

Test(copy_up, fifos_sockets_and_devices_are_left_out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	TREES(trees);

	if (geteuid() != 0)
		cr_skip_test("device nodes need root");
	cr_assert_eq(mkfifoat(trees.from.fd, "fifo", 0600), 0);
	if (mknodat(trees.from.fd, "null", S_IFCHR | 0666, makedev(1, 3)) < 0 ||
	    mknodat(trees.from.fd, "block", S_IFBLK | 0666, makedev(7, 200)) < 0)
		cr_skip_test("device nodes can't be made here");
	cr_assert_eq(fchdir(trees.from.fd), 0);
	cr_assert_eq(bind(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	scratch_file(&trees.from, "file", "", 0600);
	copy(&trees);
	cr_expect(scratch_has(&trees.to, "file"));
	cr_expect_eq(scratch_count(&trees.to), 1);
}

static void nest(const struct trees *trees, unsigned depth)
{
	int fd = fcntl(trees->from.fd, F_DUPFD_CLOEXEC, 0), next;

	for (unsigned i = 0; i < depth; i++) {
		cr_assert_eq(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
}

Test(copy_up, nesting_within_the_cap)
{
	TREES(trees);

	nest(&trees, 63);
	copy(&trees);
}

Test(copy_up, nesting_beyond_the_cap)
{
	TREES(trees);
	struct error err = { 0 };

	nest(&trees, 64);
	cr_expect_eq(copy_up(trees.from.fd, trees.to.fd, COPY_UP_ALL, &err), -ELOOP);
	cr_expect_not_null(strstr(err.message, "tmpcopyup"), "%s", err.message);
}

Test(copy_up, deep_nesting_leaves_no_descriptor)
{
	TREES(trees);
	size_t before = scratch_count_fds();

	nest(&trees, 500);
	cr_expect_eq(copy_up(trees.from.fd, trees.to.fd, COPY_UP_ALL, NULL), -ELOOP);
	cr_expect_eq(scratch_count_fds(), before);
}

Test(copy_up, names_of_all_kinds)
{
	static const char *const names[] = { "...", "-rf", "a\nb", "\xff\xfe", ".hidden", "sp ace" };
	TREES(trees);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		scratch_file(&trees.from, names[i], "", 0600);
	copy(&trees);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect(scratch_has(&trees.to, names[i]), "%s", names[i]);
}

Test(copy_up, does_not_write_over_what_is_there)
{
	TREES(trees);
	struct error err = { 0 };
	char text[16];

	scratch_file(&trees.from, "file", "new", 0600);
	scratch_file(&trees.to, "file", "old", 0600);
	cr_expect_eq(copy_up(trees.from.fd, trees.to.fd, COPY_UP_ALL, &err), -EEXIST);
	cr_expect_str_eq(scratch_text(&trees.to, "file", text, sizeof(text)), "old");
}

/* As mounts.c does it: onto a detached tmpfs, whose size is the cap on what an image can make it take. */
Test(copy_up, stops_where_the_new_file_system_is_full)
{
	static const struct plan_mount_option options[] = { { "size", "64k" } };
	AUTO_CLOSE int mount_fd = -EBADF, file_fd = -EBADF;
	TREES(trees);
	struct error err = { 0 };

	mount_fd = mount_make_filesystem("tmpfs", options, 1, 0, &err);
	if (mount_fd < 0)
		cr_skip_test("a tmpfs can't be made: %s", err.message);
	scratch_file(&trees.from, "big", "", 0600);
	file_fd = openat(trees.from.fd, "big", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(file_fd, (off_t)1 << 40), 0);
	cr_expect_eq(copy_up(trees.from.fd, mount_fd, COPY_UP_ALL, &err), -ENOSPC);
}
