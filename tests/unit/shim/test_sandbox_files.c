/* What the containers of a pod share, as files in a bundle. Of a pod with the host's shared memory: nothing is mounted, so that it takes
 * no privileges. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "shim/service/sandbox_files.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct arena *arena;

static void set_up(void)
{
	scratch = scratch_new();
	arena = arena_new(1024 * 1024);
}

static void tear_down(void)
{
	arena_free(arena);
	scratch_done(&scratch);
}

TestSuite(sandbox_files, .init = set_up, .fini = tear_down);

static void read_file(const char *path, char text[static 4096])
{
	cr_assert_geq(fd_read_file_at(AT_FDCWD, path, text, 4096), 0, "%s", path);
}

Test(sandbox_files, are_written_and_named)
{
	const struct sandbox_config config = { .hostname = "web", .resolver = "nameserver 10.0.0.1\n" };
	static const char *const destinations[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/shm" };
	struct sandbox_files files;
	struct error err = { 0 };
	char text[4096];
	struct stat status;

	/* Made again after a failure of another kind, it is the same. */
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(sandbox_files_make(scratch.path, &config, arena, &files, &err), 0, "%s", err.message);
	cr_assert_eq(files.n, ARRAY_SIZE(destinations));
	for (size_t i = 0; i < files.n; i++) {
		cr_expect_str_eq(files.binds[i].destination, destinations[i]);
		cr_expect_eq(files.binds[i].follows_root, i < 3);
		cr_assert_eq(stat(files.binds[i].source, &status), 0, "%s", files.binds[i].source);
		if (i < 3)
			cr_expect_eq(status.st_mode & 07777, 0644);
	}
	read_file(files.binds[0].source, text);
	cr_expect_str_eq(text, "web");
	read_file(files.binds[2].source, text);
	cr_expect_str_eq(text, "nameserver 10.0.0.1");
	cr_expect_str_eq(files.binds[3].source, "/dev/shm");
	cr_expect_null(files.shared_memory);
	sandbox_files_remove(&files);
	cr_expect_eq(files.n, 0);
}

Test(sandbox_files, without_a_name_the_hosts_is_the_pods)
{
	const struct sandbox_config config = { .hostname = "" };
	char text[4096], name[HOST_NAME_MAX + 1] = "";
	struct sandbox_files files;
	struct error err = { 0 };

	cr_assert_eq(sandbox_files_make(scratch.path, &config, arena, &files, &err), 0, "%s", err.message);
	cr_assert_eq(gethostname(name, sizeof(name) - 1), 0);
	read_file(files.binds[0].source, text);
	cr_expect_str_eq(text, name);
	sandbox_files_remove(&files);
}

Test(sandbox_files, without_a_bundle_there_are_none)
{
	const struct sandbox_config config = { .hostname = "web" };
	struct sandbox_files files = { .n = 7 };
	struct error err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/missing", scratch.path);
	cr_expect_eq(sandbox_files_make(path, &config, arena, &files, &err), -ENOENT);
	cr_expect_not_null(strstr(err.message, "open bundle"), "%s", err.message);
	cr_expect_eq(files.n, 7);
}
