#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "tests/support/scratch.h"

Test(path, of_sysctl)
{
	static const struct {
		const char *name, *path;
	} list[] = {
		{ "", "" },
		{ "kernel", "kernel" },
		{ "net.core.somaxconn", "net/core/somaxconn" },
		{ "net/core/somaxconn", "net/core/somaxconn" },
		{ "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding" },
	};
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(name, sizeof(name), "%s", list[i].name);
		path_of_sysctl(name);
		cr_expect_str_eq(name, list[i].path, "%s -> %s", list[i].name, name);
	}
}

struct normal {
	const char *path, *wanted;
};

Test(path, normalise)
{
	static const struct normal list[] = {
		{ "", "/" },
		{ "/", "/" },
		{ "///", "/" },
		{ ".", "/" },
		{ "..", "/" },
		{ "/..", "/" },
		{ "/../../..", "/" },
		{ "a", "/a" },
		{ "/a/b", "/a/b" },
		{ "/a//b/", "/a/b" },
		{ "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/a/b/../..", "/" },
		{ "/a/../../b/../c", "/c" },
		{ "a/..", "/" },
		{ "/...", "/..." },
		{ "/..a/b..", "/..a/b.." },
		{ "/.a/.b./c.", "/.a/.b./c." },
	};
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		cr_expect_str_eq(path_normalise(arena, list[i].path), list[i].wanted, "of \"%s\"", list[i].path);
}

Test(path, normalise_needs_memory)
{
	AUTO(arena_free) struct arena *arena = arena_new(16);

	cr_assert_null(path_normalise(arena, "/0123456789/0123456789"));
}

Test(path, is_below)
{
	cr_expect(path_is_below("/proc", "/proc"));
	cr_expect(path_is_below("/proc/sys", "/proc"));
	cr_expect(path_is_below("/proc", "/"));
	cr_expect(path_is_below("/", "/"));
	cr_expect_not(path_is_below("/procx", "/proc"), "another name that begins the same");
	cr_expect_not(path_is_below("/pro", "/proc"));
	cr_expect_not(path_is_below("/", "/proc"));
	cr_expect_not(path_is_below("/x/proc", "/proc"));
}

/* ---- opened beneath a root: "root" of the scratch directory, with "outside" beside it ---- */

struct world {
	struct scratch scratch, root; /* root: its fd alone */
};

static struct world world_new(void)
{
	struct world world = { .scratch = scratch_new() };
	char outside[256];

	scratch_drop_root(&world.scratch);
	scratch_directory(&world.scratch, "root");
	scratch_directory(&world.scratch, "outside");
	scratch_file(&world.scratch, "outside/secret", "secret", 0600);
	world.root.fd = openat(world.scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scratch_directory(&world.root, "etc");
	scratch_file(&world.root, "etc/file", "inside", 0644);
	snprintf(outside, sizeof(outside), "%s/outside", world.scratch.path);
	scratch_link(&world.root, "out", outside);
	scratch_link(&world.root, "up", "../outside");
	scratch_link(&world.root, "far-up", "../../../../../../../../../../../../..");
	return world;
}

static void world_done_cleanup(struct world *world)
{
	close(world->root.fd);
	scratch_done(&world->scratch);
}
#define WORLD(name) __attribute__((cleanup(world_done_cleanup))) struct world name = world_new()

static void expect_outside_untouched(const struct world *world)
{
	struct scratch outside = { .fd = openat(world->scratch.fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	char text[16];

	cr_expect_eq(scratch_count(&outside), 1, "something was made outside");
	cr_expect_str_eq(scratch_text(&outside, "secret", text, sizeof(text)), "secret");
	cr_expect_eq(scratch_count(&world->scratch), 2);
	close(outside.fd);
}

static bool is_same(int fd, const struct scratch *scratch, const char *name)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && fstatat(scratch->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static void expect_opens(const struct world *world, const char *path, const char *name)
{
	AUTO_CLOSE int fd = path_open_in_root(world->root.fd, path, O_PATH);

	cr_expect_geq(fd, 0, "%s: %s", path, strerror(-fd));
	cr_expect(is_same(fd, &world->root, name), "%s is not %s", path, name);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

Test(path, open_stays_in_the_root)
{
	WORLD(world);

	scratch_link(&world.root, "absolute", "/etc/file");
	scratch_link(&world.root, "relative", "etc/../../etc/file");
	expect_opens(&world, "/", ".");
	expect_opens(&world, "/..", ".");
	expect_opens(&world, "/etc/file", "etc/file");
	expect_opens(&world, "etc/file", "etc/file");
	expect_opens(&world, "/../../../etc/file", "etc/file");
	expect_opens(&world, "/absolute", "etc/file");
	expect_opens(&world, "/relative", "etc/file");
	expect_opens(&world, "/far-up", ".");
	expect_opens(&world, "/far-up/etc", "etc");
	cr_expect_eq(path_open_in_root(world.root.fd, "/out/secret", O_RDONLY), -ENOENT);
	cr_expect_eq(path_open_in_root(world.root.fd, "/up/secret", O_RDONLY), -ENOENT);
	cr_expect_eq(path_open_in_root(world.root.fd, "/../outside/secret", O_RDONLY), -ENOENT);
	cr_expect_eq(path_open_in_root(world.root.fd, "/absolute", O_PATH | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);
	cr_expect_eq(path_open_in_root(-EBADF, "etc", O_PATH), -EBADF);
}

Test(path, open_takes_no_magic_link)
{
	AUTO_CLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	SCRATCH(scratch);

	scratch_drop_root(&scratch);
	cr_assert_eq(path_open_in_root(root_fd, "/proc/self/root/etc", O_PATH), -ELOOP);
	cr_assert_eq(path_open_in_root(root_fd, "/proc/self/exe", O_PATH), -ELOOP);
	fd = path_make_in_root(root_fd, "/proc/self/cwd/brig-must-not-be", false, 0700);
	cr_assert_eq(fd, -ELOOP);
}

/* ---- made beneath a root ---- */

static void expect_makes(const struct world *world, const char *path, bool is_file, const char *name)
{
	AUTO_CLOSE int fd = path_make_in_root(world->root.fd, path, is_file, 0750);
	mode_t mode;

	cr_expect_geq(fd, 0, "%s: %s", path, strerror(-fd));
	cr_expect(is_same(fd, &world->root, name), "%s is not %s", path, name);
	mode = scratch_mode(&world->root, name);
	cr_expect_eq(mode & S_IFMT, is_file ? S_IFREG : S_IFDIR, "%s has mode %o", name, mode);
}

Test(path, make_what_is_missing)
{
	WORLD(world);

	umask(0);
	expect_makes(&world, "/a/b/c", false, "a/b/c");
	cr_expect_eq(scratch_mode(&world.root, "a"), S_IFDIR | 0750);
	cr_expect_eq(scratch_mode(&world.root, "a/b/c"), S_IFDIR | 0750);
	expect_makes(&world, "/d/./e//file", true, "d/e/file");
	cr_expect_eq(scratch_mode(&world.root, "d/e/file"), S_IFREG | 0644);
	expect_makes(&world, "/d/e/../e/file", true, "d/e/file");
	expect_makes(&world, "f/", false, "f");
	expect_makes(&world, "/etc", false, "etc");
	expect_makes(&world, "/", false, ".");
	expect_makes(&world, "/../../g", false, "g");
}

Test(path, make_leaves_alone_what_is_there)
{
	WORLD(world);
	char text[16];

	expect_makes(&world, "/etc/file", true, "etc/file");
	cr_expect_str_eq(scratch_text(&world.root, "etc/file", text, sizeof(text)), "inside");
	expect_makes(&world, "/etc", false, "etc");
	close(path_make_in_root(world.root.fd, "/etc", /* is_file= */ true, 0755));
	cr_expect(S_ISDIR(scratch_mode(&world.root, "etc")), "an object of another kind stays");
	cr_expect_eq(path_make_in_root(world.root.fd, "/etc/file/below", false, 0755), -ENOTDIR);
}

Test(path, make_never_leaves_the_root)
{
	WORLD(world);

	/* The targets of these links are made anew, inside. */
	close(path_make_in_root(world.root.fd, "/out/new/a", true, 0755));
	expect_makes(&world, "/up/b", true, "outside/b");
	expect_makes(&world, "/up/secret", true, "outside/secret");
	expect_makes(&world, "/far-up/etc/c", true, "etc/c");
	cr_expect(scratch_has(&world.root, world.scratch.path + 1), "below the root, the absolute target was made");
	expect_outside_untouched(&world);
}

Test(path, make_refuses_to_climb_where_nothing_is)
{
	WORLD(world);
	size_t before = scratch_count(&world.root);

	cr_expect_eq(path_make_in_root(world.root.fd, "/new/../x", false, 0755), -EINVAL);
	cr_expect_eq(path_make_in_root(world.root.fd, "/new/../../outside/x", true, 0755), -EINVAL);
	cr_expect_eq(path_make_in_root(world.root.fd, "/etc/new/..", false, 0755), -EINVAL);
	cr_expect_eq(scratch_count(&world.root), before, "nothing is made before the refusal");
	expect_makes(&world, "/..new/a..", false, "..new/a..");
}

Test(path, make_checks_lengths)
{
	WORLD(world);
	char name[PATH_MAX + 10];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_expect_eq(path_make_in_root(world.root.fd, name, false, 0755), -ENAMETOOLONG);
	name[NAME_MAX + 1] = '\0';
	cr_expect_eq(path_make_in_root(world.root.fd, name, false, 0755), -ENAMETOOLONG);
	name[NAME_MAX] = '\0';
	expect_makes(&world, name, false, name);
}

/* ---- dangling links: followed inside the root, and no further ---- */

struct dangling {
	const char *name, *target, *path, *made;
	bool is_file;
};

Test(path, make_follows_dangling_links)
{
	static const struct dangling list[] = {
		{ "etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf",
		  "run/systemd/resolve/stub-resolv.conf", true },
		{ "etc/absolute", "/var/absolute", "/etc/absolute", "var/absolute", true },
		{ "etc/beside", "here", "/etc/beside", "etc/here", true },
		{ "etc/directory", "/srv/data", "/etc/directory", "srv/data", false },
		{ "through", "/srv/through", "/through/x/y", "srv/through/x/y", true },
		{ "slash", "newdir/", "/slash/x", "newdir/x", true },
		{ "top", "//double//slash", "/top", "double/slash", true },
		{ "etc/climbs", "../../../../../climbed", "/etc/climbs", "climbed", true },
	};
	WORLD(world);

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		scratch_link(&world.root, list[i].name, list[i].target);
		expect_makes(&world, list[i].path, list[i].is_file, list[i].made);
		cr_expect(S_ISLNK(scratch_mode(&world.root, list[i].name)), "the link itself stays");
		/* The second time it does not dangle any more. */
		expect_makes(&world, list[i].path, list[i].is_file, list[i].made);
	}
	expect_outside_untouched(&world);
}

Test(path, make_follows_a_link_from_where_it_really_lies)
{
	WORLD(world);

	scratch_directory(&world.root, "usr");
	scratch_directory(&world.root, "usr/etc");
	scratch_link(&world.root, "conf", "usr/etc");
	scratch_link(&world.root, "usr/etc/l", "../made");
	expect_makes(&world, "/conf/l", true, "usr/made");
	cr_expect_not(scratch_has(&world.root, "made"),
		      "\"..\" is the directory above the link, not above the path as text");
}

static void make_chain(const struct world *world, unsigned n)
{
	char name[16], target[16];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		snprintf(target, sizeof(target), "l%u", i + 1);
		scratch_link(&world->root, name, target);
	}
}

Test(path, make_follows_sixteen_links)
{
	WORLD(world);

	make_chain(&world, 16);
	expect_makes(&world, "/l0", true, "l16");
}

Test(path, make_refuses_seventeen_links)
{
	WORLD(world);

	make_chain(&world, 17);
	cr_expect_eq(path_make_in_root(world.root.fd, "/l0", true, 0755), -ELOOP);
	cr_expect_not(scratch_has(&world.root, "l17"));
}

Test(path, make_refuses_circles)
{
	WORLD(world);
	size_t before;

	scratch_link(&world.root, "self", "self");
	scratch_link(&world.root, "self-below", "self-below/x");
	scratch_link(&world.root, "ping", "pong");
	scratch_link(&world.root, "pong", "etc/../ping");
	before = scratch_count(&world.root);
	cr_expect_eq(path_make_in_root(world.root.fd, "/self", true, 0755), -ELOOP);
	cr_expect_eq(path_make_in_root(world.root.fd, "/self/x", true, 0755), -ELOOP);
	cr_expect_eq(path_make_in_root(world.root.fd, "/self-below", true, 0755), -ELOOP);
	cr_expect_eq(path_make_in_root(world.root.fd, "/ping", false, 0755), -ELOOP);
	cr_expect_eq(scratch_count(&world.root), before);
}

Test(path, make_refuses_links_that_climb_where_nothing_is)
{
	WORLD(world);
	size_t before;

	scratch_link(&world.root, "a", "nothing/../../outside/new");
	scratch_link(&world.root, "b", "/nothing/..");
	scratch_link(&world.root, "c", "/nothing");
	before = scratch_count(&world.root);
	cr_expect_eq(path_make_in_root(world.root.fd, "/a", true, 0755), -EINVAL);
	cr_expect_eq(path_make_in_root(world.root.fd, "/b/x", false, 0755), -EINVAL);
	cr_expect_eq(path_make_in_root(world.root.fd, "/c/../x", false, 0755), -EINVAL);
	cr_expect_eq(scratch_count(&world.root), before);
	expect_outside_untouched(&world);
}

Test(path, make_refuses_links_that_grow_too_long)
{
	WORLD(world);
	char target[PATH_MAX] = "/none/", path[3000] = "/l/";

	for (size_t i = strlen(target); i < PATH_MAX - 10; i += 2)
		strcpy(target + i, "a/");
	for (size_t i = strlen(path); i < sizeof(path) - 3; i += 2)
		strcpy(path + i, "b/");
	scratch_link(&world.root, "l", target);
	cr_expect_eq(path_make_in_root(world.root.fd, path, false, 0755), -ENAMETOOLONG);
	cr_expect_not(scratch_has(&world.root, "none"));
}

Test(path, make_leaves_no_descriptor_open)
{
	WORLD(world);
	size_t before = scratch_count_fds();

	scratch_link(&world.root, "self", "self");
	scratch_link(&world.root, "dangling", "a/b");
	close(path_make_in_root(world.root.fd, "/dangling/c", true, 0755));
	cr_expect_lt(path_make_in_root(world.root.fd, "/self", true, 0755), 0);
	cr_expect_lt(path_make_in_root(world.root.fd, "/new/../x", true, 0755), 0);
	cr_expect_lt(path_make_in_root(world.root.fd, "/etc/file/x", true, 0755), 0);
	cr_expect_eq(scratch_count_fds(), before);
}
