#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "sandbox/sandbox_group.h"
#include "tests/support/scratch.h"

#define SOMEBODY 54321

static void make_group(int root_fd, const char *path, const char *controllers, uid_t owner)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.subtree_control" };
	char name[256];

	cr_assert_eq(mkdirat(root_fd, path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO_CLOSE int fd = -EBADF;

		snprintf(name, sizeof(name), "%s/%s", path, files[i]);
		fd = openat(root_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		cr_assert_geq(fd, 0);
		cr_assert_eq(fchown(fd, owner, owner), 0);
		if (i == 1)
			cr_assert_eq(fd_write_all(fd, controllers, strlen(controllers)), 0);
	}
	cr_assert_eq(fchownat(root_fd, path, owner, owner, 0), 0);
}

struct tree {
	const char *above, *own; /* the controllers that their groups have */
	uid_t above_owner, own_owner;
	const char *wanted;
	bool has_cpu;
};

static const struct tree trees[] = {
	{ "cpu memory pids", "", SOMEBODY, SOMEBODY, "/a/brig-x", true },
	{ "memory pids", "", SOMEBODY, SOMEBODY, "/a/brig-x", false },
	{ "cpu memory pids", "cpu io memory pids", 0, SOMEBODY, "/a/b/brig-x", true },
	{ "cpu memory pids", "", 0, SOMEBODY, NULL, false },
	{ "cpu memory pids", "cpu memory pids", 0, 0, NULL, false },
	{ "memory", "pids", SOMEBODY, SOMEBODY, NULL, false },
	{ "memory_pids pidsmemory", "", SOMEBODY, SOMEBODY, NULL, false },
};

Test(sandbox_group, the_one_that_was_handed_over)
{
	if (geteuid() != 0)
		cr_skip_test("owners take root");
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
		AUTO_CLOSE int root_fd = -EBADF;
		struct sandbox_group group = { .path = "untouched" };
		char folder[] = "/tmp/brig-group-XXXXXX", command[64];

		cr_assert_not_null(mkdtemp(folder));
		cr_assert_eq(chmod(folder, 0755), 0);
		root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		make_group(root_fd, "a", trees[i].above, trees[i].above_owner);
		make_group(root_fd, "a/b", trees[i].own, trees[i].own_owner);
		cr_assert_eq(seteuid(SOMEBODY), 0);
		cr_expect_eq(sandbox_group_find_in(root_fd, "/a/b", "x", arena, &group), 0);
		cr_assert_eq(seteuid(0), 0);
		if (trees[i].wanted) {
			cr_assert_not_null(group.path, "tree %zu", i);
			cr_expect_str_eq(group.path, trees[i].wanted);
			cr_expect_eq(group.has_cpu, trees[i].has_cpu);
		} else {
			cr_expect_null(group.path, "tree %zu", i);
		}
		snprintf(command, sizeof(command), "rm -r %s", folder);
		cr_expect_eq(system(command), 0);
	}
}

Test(sandbox_group, never_the_root_and_never_outside)
{
	static const char *const places[] = { "/", "", "a", "/../a", "/a/../b", "/not-there/at-all" };
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	AUTO_CLOSE int root_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct sandbox_group group = { .path = "untouched" };

		cr_expect_eq(sandbox_group_find_in(root_fd, places[i], "x", arena, &group), 0);
		cr_expect_null(group.path, "%s", places[i]);
	}
}

Test(sandbox_group, who_has_none_is_told_what_to_do)
{
	static const char how[] = "systemd-run --user --scope";
	SCRATCH(scratch);

	cr_expect_null(strstr(sandbox_group_remedy(false, scratch.path), how));
	cr_expect_not_null(strstr(sandbox_group_remedy(true, scratch.path), "enable-linger"));
	cr_expect_not_null(strstr(sandbox_group_remedy(true, NULL), "enable-linger"));
	scratch_directory(&scratch, "systemd");
	scratch_file(&scratch, "systemd/private", "", 0600);
	cr_expect_null(strstr(sandbox_group_remedy(true, scratch.path), "enable-linger"));
	cr_expect_not_null(strstr(sandbox_group_remedy(true, scratch.path), how));
}
