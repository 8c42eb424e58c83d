/* What is found where mounts come from: as they are, not as they are called. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
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
#include "parent/host_mounts.h"
#include "parent/host_sources.h"
#include "tests/support/scratch.h"

#define ARENA_MAX ((size_t)32 * 1024 * 1024)

static struct host_source look(struct arena *arena, const char *path, bool recursive)
{
	const struct host_source_request request = { path, recursive };
	struct host_source source;
	struct error err = { 0 };

	cr_assert_eq(host_sources_look(&request, 1, arena, &source, &err), 0, "%s", err.message);
	return source;
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

Test(host_sources, a_link_is_what_it_leads_to)
{
	SCRATCH(scratch);
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	char link[PATH_MAX], target[PATH_MAX];
	struct host_source source;
	struct stat status;

	snprintf(link, sizeof(link), "%s/link", scratch.path);
	snprintf(target, sizeof(target), "%s/target", scratch.path);
	make_file(target);
	cr_assert_eq(symlink("target", link), 0);
	source = look(arena, link, false);
	cr_assert(source.known);
	cr_assert_eq(stat(target, &status), 0);
	cr_expect_str_eq(source.real, target);
	cr_expect_eq(source.device, status.st_dev);
	cr_expect_eq(source.inode, status.st_ino);
	cr_expect_eq(source.mode, status.st_mode);
	cr_expect_null(source.below);
}

Test(host_sources, devices_and_kernel_file_systems)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct host_source null = look(arena, "/dev/null", false), proc = look(arena, "/proc/self", false);

	cr_expect(S_ISCHR(null.mode));
	cr_expect_eq(null.special, makedev(1, 3));
	cr_expect_eq(proc.file_system, PROC_SUPER_MAGIC);
	cr_expect_not(proc.mappable);
	cr_expect_str_neq(proc.real, "/proc/self", "a link of procfs that is not a magic one is followed");
}

Test(host_sources, a_hard_link_to_a_socket_is_a_socket)
{
	SCRATCH(scratch);
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char link_path[PATH_MAX];

	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/s", scratch.path);
	snprintf(link_path, sizeof(link_path), "%s/file.txt", scratch.path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(link(address.sun_path, link_path), 0);
	cr_expect(S_ISSOCK(look(arena, link_path, false).mode));
}

Test(host_sources, what_is_not_there_is_unknown)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	const struct host_source_request requests[] = { { "/no/such/place", true }, { NULL, false }, { "/", false } };
	struct host_source sources[3];
	struct error err = { 0 };

	cr_assert_eq(host_sources_look(requests, 3, arena, sources, &err), 0);
	cr_expect_not(sources[0].known);
	cr_expect_not(sources[1].known);
	cr_expect(sources[2].known, "one that fails is no end of it");
	cr_expect_str_eq(sources[2].real, "/");
}

Test(host_sources, magic_links_are_not_followed)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	AUTO_CLOSE int fd = open("/etc", O_PATH | O_CLOEXEC);
	char path[64];

	cr_assert_geq(fd, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_expect_not(look(arena, path, false).known);
	cr_expect_not(look(arena, "/proc/self/cwd", false).known);
	cr_expect_not(look(arena, "/proc/self/root/etc", false).known);
}

/* In a mount namespace of its own, where nobody else sees it. */
Test(host_sources, a_bind_is_what_it_is_a_bind_of)
{
	SCRATCH(scratch);
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	char tree[PATH_MAX], inside[PATH_MAX], place[PATH_MAX], proc[PATH_MAX];
	struct host_source source;

	if (unshare(CLONE_NEWNS) < 0)
		cr_skip("no privilege to make mounts");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(tree, sizeof(tree), "%s/t", scratch.path);
	snprintf(inside, sizeof(inside), "%s/t/secret", scratch.path);
	snprintf(place, sizeof(place), "%s/far-away", scratch.path);
	snprintf(proc, sizeof(proc), "%s/far-away/proc", scratch.path);
	cr_assert_eq(mkdir(tree, 0700), 0);
	cr_assert_eq(mount("tree", tree, "tmpfs", 0, NULL), 0);
	cr_assert_eq(mkdir(inside, 0700), 0);
	cr_assert_eq(mkdir(place, 0700), 0);
	cr_assert_eq(mount(inside, place, NULL, MS_BIND, NULL), 0);
	cr_assert_eq(mkdir(proc, 0700), 0);
	source = look(arena, place, true);
	cr_expect_str_eq(source.real, place);
	cr_assert_not_null(source.alias);
	cr_expect_str_eq(source.alias, inside);
	cr_expect_null(source.below);
	source = look(arena, proc, true);
	cr_assert_not_null(source.alias);
	cr_expect_str_eq(source.alias + strlen(inside), "/proc");
	cr_expect_null(look(arena, inside, true).alias, "the original is no alias");
	cr_assert_eq(mount("proc", proc, "proc", 0, NULL), 0);
	source = look(arena, place, true);
	cr_assert_not_null(source.below);
	cr_expect_str_eq(source.below, proc);
	cr_expect_null(look(arena, place, false).below, "what is not bound along does not count");
}

static struct host_mounts parse(struct arena *arena, const char *text)
{
	struct host_mounts mounts;
	struct error err = { 0 };

	cr_assert_eq(host_mounts_parse(arena_strdup(arena, text), arena, &mounts, &err), 0);
	return mounts;
}

Test(host_mounts, lines)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct host_mounts mounts = parse(arena, "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
						 "23 22 0:5 / /mnt/a\\040b\\134c rw - tmpfs tmpfs rw\n"
						 "nonsense\n\n24 22 8:1 /x rw\n"
						 "25 22 8:1 relative - ext4 x y\n"
						 "- - - - -  - \n"
						 "x 22 8:1 / /a rw - ext4 /dev/sda1 rw\n");

	cr_assert_eq(mounts.n, 2);
	cr_expect_eq(mounts.list[0].id, 22);
	cr_expect_str_eq(mounts.list[0].device, "8:1");
	cr_expect_str_eq(mounts.list[0].type, "ext4");
	cr_expect_str_eq(mounts.list[1].point, "/mnt/a b\\c");
}

Test(host_mounts, aliases)
{
	static const struct {
		uint64_t id;
		const char *path, *alias;
	} cases[] = {
		{ 1, "/srv", NULL },
		{ 2, "/mnt/config", "/etc" },
		{ 2, "/mnt/config/ssh/key", "/etc/ssh/key" },
		{ 3, "/mnt/everything", "/" },
		{ 3, "/mnt/everything/etc", "/etc" },
		{ 4, "/other", NULL },
		{ 5, "/mnt/socket", "/run/some.sock" },
		{ 99, "/srv", NULL },
		{ 2, "/elsewhere", NULL },
	};
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct host_mounts mounts = parse(arena, "1 0 8:1 / / rw - ext4 a rw\n"
						 "2 1 8:1 /etc /mnt/config rw - ext4 a rw\n"
						 "3 1 8:1 / /mnt/everything rw - ext4 a rw\n"
						 "4 1 8:2 /etc /other rw - ext4 b rw\n"
						 "6 1 0:7 / /run rw - tmpfs t rw\n"
						 "5 1 0:7 /some.sock /mnt/socket rw - tmpfs t rw\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *alias = host_mounts_alias(&mounts, cases[i].id, cases[i].path, arena);

		cr_expect_str_eq(alias ?: "none", cases[i].alias ?: "none", "%s", cases[i].path);
	}
}
