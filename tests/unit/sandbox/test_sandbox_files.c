/* Copies in and out: what a hostile work directory can hold. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_files.h"
#include "tests/support/scratch.h"

static struct sandbox_result result_new(void)
{
	struct sandbox_result result = { .arena = arena_new((size_t)16 * 1024 * 1024) };

	cr_assert_not_null(result.arena);
	return result;
}

static void collect(const struct scratch *work, const struct sandbox_copy *copies, size_t n, struct sandbox_result *ret)
{
	const struct sandbox_request request = { .collects = copies, .n_collects = n };
	struct sandbox_emptying emptying = { .work_fd = work->fd, .signal_fd = -EBADF };
	struct error err = { 0 };

	cr_assert_eq(sandbox_files_collect(&emptying, &request, ret, &err), 0, "%s", err.message);
}

Test(sandbox_files, names_stay_in_the_work_directory)
{
	static const char *const good[] = { "a", "a/b", "a.b/..c", "...", " ", "a b/\xff" };
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a/../b" };
	char long_name[400];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(sandbox_is_name(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(sandbox_is_name(bad[i]), "%s", bad[i]);
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	cr_expect_not(sandbox_is_name(long_name));
}

static int put(const struct scratch *work, const int *fds, uid_t uid, const struct sandbox_request *request,
	       struct error *err)
{
	static const struct pace always = { 0 };
	const struct sandbox_filling filling = { .work_fd = work->fd, .fds = fds, .uid = uid, .pace = &always };

	return sandbox_files_put(&filling, request, err);
}

static int once(void *context, struct error *err)
{
	unsigned *asked = context;

	return (*asked)++ == 0 ? 0 : error_set(err, ERROR_SYSTEM, EINTR, "told to stop");
}

/* More than one piece: it is asked before each. */
Test(sandbox_files, copying_ends_when_told_to)
{
	SCRATCH(host);
	SCRATCH(work);
	AUTO(arena_free) struct arena *arena = arena_new(65536);
	char path[256];
	struct sandbox_copy file = { "large", path };
	const struct sandbox_request request = { .files = &file, .n_files = 1 };
	unsigned asked = 0;
	const struct pace pace = { .may_go_on = once, .context = &asked };
	struct sandbox_filling filling = { .work_fd = work.fd, .uid = (uid_t)-1, .pace = &pace };
	struct error err = { 0 };
	struct stat status;
	int *fds = NULL;

	scratch_file(&host, "large", "", 0600);
	snprintf(path, sizeof(path), "%s/large", host.path);
	cr_assert_eq(truncate(path, 3 * 1024 * 1024), 0);
	cr_assert_eq(sandbox_files_open(&file, 1, arena, &fds, &err), 0, "%s", err.message);
	filling.fds = fds;
	cr_expect_eq(sandbox_files_put(&filling, &request, &err), -EINTR);
	cr_expect_not_null(strstr(err.message, "told to stop"), "%s", err.message);
	cr_expect_eq(asked, 2);
	cr_assert_eq(fstatat(work.fd, "large", &status, 0), 0);
	cr_expect_lt(status.st_size, 3 * 1024 * 1024);
	close(fds[0]);
}

Test(sandbox_files, copies_in_with_directories_and_the_right_to_execute)
{
	SCRATCH(host);
	SCRATCH(work);
	AUTO(arena_free) struct arena *arena = arena_new(65536);
	char path[256], script[256], text[64];
	struct sandbox_copy files[] = { { "deep/er/a", path }, { "deep/run", script } };
	const struct sandbox_request request = { .files = files, .n_files = 2 };
	struct error err = { 0 };
	int *fds = NULL;

	scratch_file(&host, "a", "text", 0600);
	scratch_file(&host, "run", "#!", 0700);
	snprintf(path, sizeof(path), "%s/a", host.path);
	snprintf(script, sizeof(script), "%s/run", host.path);
	cr_assert_eq(sandbox_files_open(files, 2, arena, &fds, &err), 0, "%s", err.message);
	cr_assert_eq(put(&work, fds, (uid_t)-1, &request, &err), 0, "%s", err.message);
	cr_expect_str_eq(scratch_text(&work, "deep/er/a", text, sizeof(text)), "text");
	cr_expect_eq(scratch_mode(&work, "deep/er/a") & 0777, 0644);
	cr_expect_eq(scratch_mode(&work, "deep/run") & 0777, 0755);
	close(fds[0]);
	close(fds[1]);
}

/* A directory that was there may be another's. */
Test(sandbox_files, only_what_was_made_is_given_away)
{
	SCRATCH(host);
	SCRATCH(work);
	AUTO(arena_free) struct arena *arena = arena_new(65536);
	char path[256];
	struct sandbox_copy file = { "there/made/a", path };
	const struct sandbox_request request = { .files = &file, .n_files = 1 };
	struct stat there, made;
	struct error err = { 0 };
	int *fds = NULL;

	if (geteuid() != 0)
		cr_skip_test("takes root");
	scratch_file(&host, "a", "text", 0600);
	scratch_directory(&work, "there");
	snprintf(path, sizeof(path), "%s/a", host.path);
	cr_assert_eq(sandbox_files_open(&file, 1, arena, &fds, &err), 0, "%s", err.message);
	cr_assert_eq(put(&work, fds, 54321, &request, &err), 0, "%s", err.message);
	cr_assert_eq(fstatat(work.fd, "there", &there, 0), 0);
	cr_assert_eq(fstatat(work.fd, "there/made", &made, 0), 0);
	cr_expect_eq(there.st_uid, 0);
	cr_expect_eq(made.st_uid, 54321);
	close(fds[0]);
}

Test(sandbox_files, what_is_no_regular_file_is_not_copied_in)
{
	SCRATCH(host);
	AUTO(arena_free) struct arena *arena = arena_new(65536);
	char path[256];
	struct sandbox_copy file = { "a", path };
	struct error err = { 0 };
	int *fds = NULL;

	cr_assert_eq(mkfifoat(host.fd, "fifo", 0600), 0);
	snprintf(path, sizeof(path), "%s/fifo", host.path);
	cr_expect_lt(sandbox_files_open(&file, 1, arena, &fds, &err), 0);
	cr_expect_not_null(strstr(err.message, "not a regular file"), "%s", err.message);
	snprintf(path, sizeof(path), "%s/missing", host.path);
	cr_expect_lt(sandbox_files_open(&file, 1, arena, &fds, &err), 0);
	cr_expect_not_null(strstr(err.message, "missing"), "%s", err.message);
}

Test(sandbox_files, collects_files_and_directories)
{
	SCRATCH(work);
	static const struct sandbox_copy copies[] = { { "a", NULL }, { "d", NULL }, { "gone", NULL } };
	struct sandbox_result result = result_new();

	scratch_file(&work, "a", "A", 0600);
	scratch_directory(&work, "d");
	scratch_directory(&work, "d/e");
	scratch_file(&work, "d/e/b", "B", 0600);
	collect(&work, copies, ARRAY_SIZE(copies), &result);
	cr_assert_eq(result.n_files, 3);
	cr_expect_str_eq(result.files[0].data.data, "A");
	cr_expect_str_eq(result.files[1].name, "d/e/b");
	cr_expect_eq(result.files[1].bytes, 1);
	cr_expect_str_eq(result.files[2].error, "No such file or directory");
	sandbox_result_done(&result);
}

Test(sandbox_files, no_link_leads_out)
{
	SCRATCH(work);
	SCRATCH(host);
	static const struct sandbox_copy copies[] = { { "link", NULL }, { "parent/secret", NULL }, { "d", NULL } };
	struct sandbox_result result = result_new();
	char target[256];

	scratch_file(&host, "secret", "SECRET", 0600);
	snprintf(target, sizeof(target), "%s/secret", host.path);
	scratch_link(&work, "link", target);
	scratch_link(&work, "parent", host.path);
	scratch_directory(&work, "d");
	scratch_link(&work, "d/inside", target);
	collect(&work, copies, ARRAY_SIZE(copies), &result);
	cr_assert_eq(result.n_files, 3);
	for (size_t i = 0; i < result.n_files; i++) {
		cr_expect_not_null(result.files[i].error, "%s", result.files[i].name);
		cr_expect_eq(result.files[i].data.length, 0);
	}
	sandbox_result_done(&result);
}

Test(sandbox_files, pipes_and_giants_are_not_read, .timeout = 30)
{
	SCRATCH(work);
	static const struct sandbox_copy copies[] = {
		{ "fifo", NULL }, { "giant", NULL }, { "small", NULL }, { "socket", NULL }
	};
	struct sandbox_result result = result_new();
	int fd;

	cr_assert_eq(mkfifoat(work.fd, "fifo", 0600), 0);
	fd = openat(work.fd, "giant", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	scratch_file(&work, "small", "s", 0600);
	cr_assert_eq(mknodat(work.fd, "socket", S_IFSOCK | 0600, 0), 0);
	collect(&work, copies, ARRAY_SIZE(copies), &result);
	cr_assert_eq(result.n_files, 4);
	cr_expect_str_eq(result.files[0].error, "it is not a regular file");
	cr_expect_not_null(strstr(result.files[1].error, "16 MiB"));
	cr_expect_eq(result.files[1].data.length, 0);
	cr_expect_null(result.files[2].error, "what fits is still taken: %s", result.files[2].error);
	cr_expect_str_eq(result.files[3].error, "it is not a regular file");
	sandbox_result_done(&result);
}

Test(sandbox_files, the_number_of_files_is_bounded)
{
	SCRATCH(work);
	static const struct sandbox_copy copy = { "many", NULL };
	struct sandbox_result result = result_new();
	char name[32];

	scratch_directory(&work, "many");
	for (int i = 0; i < SANDBOX_COLLECT_FILES + 10; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		scratch_file(&work, name, "", 0600);
	}
	collect(&work, &copy, 1, &result);
	cr_expect_eq(result.n_files, SANDBOX_COLLECT_FILES + 1);
	for (size_t i = 0; i < result.n_files - 1; i++)
		cr_expect_null(result.files[i].error);
	cr_expect_not_null(result.files[result.n_files - 1].error);
	sandbox_result_done(&result);
}

Test(sandbox_files, as_much_as_allowed_is_not_too_much)
{
	SCRATCH(work);
	static const struct sandbox_copy copies[] = { { "d", NULL }, { "large", NULL }, { "rest", NULL }, { "more", NULL } };
	struct sandbox_result result = result_new();
	char name[32];
	int fd;

	scratch_directory(&work, "d");
	for (size_t i = ARRAY_SIZE(copies) - 1; i < SANDBOX_COLLECT_FILES; i++) {
		snprintf(name, sizeof(name), "d/%zu", i);
		scratch_file(&work, name, "", 0600);
	}
	fd = openat(work.fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(fd, (off_t)SANDBOX_COLLECT_BYTES - 4), 0);
	close(fd);
	scratch_file(&work, "rest", "rest", 0600);
	scratch_file(&work, "more", "m", 0600);
	collect(&work, copies, ARRAY_SIZE(copies), &result);
	cr_assert_eq(result.n_files, SANDBOX_COLLECT_FILES);
	for (size_t i = 0; i < result.n_files - 1; i++)
		cr_expect_null(result.files[i].error, "%s: %s", result.files[i].name, result.files[i].error);
	cr_expect_not_null(result.files[result.n_files - 1].error);
	sandbox_result_done(&result);
}

Test(sandbox_files, a_deep_tree_ends)
{
	SCRATCH(work);
	static const struct sandbox_copy copy = { "d", NULL };
	struct sandbox_result result = result_new();
	char name[256] = "d";

	for (int i = 0; i < 40; i++) {
		scratch_directory(&work, name);
		strcat(name, "/d");
	}
	collect(&work, &copy, 1, &result);
	cr_assert_eq(result.n_files, 1);
	cr_expect_not_null(result.files[0].error);
	sandbox_result_done(&result);
}

Test(sandbox_files, goes_to_the_host_by_its_name_there)
{
	SCRATCH(work);
	SCRATCH(host);
	char path[256], text[64];
	const struct sandbox_copy copy = { "a", path };
	struct sandbox_result result = result_new();

	scratch_file(&work, "a", "out", 0600);
	scratch_file(&host, "there", "old and longer", 0600);
	snprintf(path, sizeof(path), "%s/there", host.path);
	collect(&work, &copy, 1, &result);
	cr_expect_str_eq(scratch_text(&host, "there", text, sizeof(text)), "out");
	cr_assert_eq(result.n_files, 1);
	cr_expect_str_eq(result.files[0].path, path);
	cr_expect_eq(result.files[0].bytes, 3);
	sandbox_result_done(&result);
}
