#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/support/scratch.h"

#define CONTENT(text)                                                \
	&(struct buffer)                                             \
	{                                                            \
		.data = (char[]){ text }, .length = sizeof(text) - 1 \
	}

static void setup(void)
{
	umask(0);
}

TestSuite(file, .init = setup);

Test(file, create_makes_a_new_file_alone)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char text[16];

	cr_assert_eq(file_create_at(scratch.fd, "f", CONTENT("one"), 0640, &err), 0, "%s", err.message);
	cr_assert_str_eq(scratch_text(&scratch, "f", text, sizeof(text)), "one");
	cr_assert_eq(scratch_mode(&scratch, "f"), S_IFREG | 0640);
	cr_assert_eq(file_create_at(scratch.fd, "f", CONTENT("two"), 0640, &err), -EEXIST);
	cr_assert_str_eq(scratch_text(&scratch, "f", text, sizeof(text)), "one");
	scratch_link(&scratch, "l", "elsewhere");
	cr_assert_eq(file_create_at(scratch.fd, "l", CONTENT("two"), 0640, &err), -EEXIST);
	cr_assert_not(scratch_has(&scratch, "elsewhere"));
}

Test(file, replace_leaves_nothing_but_the_file)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char text[16];

	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("longer"), 0600, &err), 0);
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("new"), 0644, &err), 0);
	cr_assert_str_eq(scratch_text(&scratch, "f", text, sizeof(text)), "new");
	cr_assert_eq(scratch_mode(&scratch, "f"), S_IFREG | 0644);
	cr_assert_eq(scratch_count(&scratch), 1);
}

/* A reader that has the old file open goes on seeing the whole old file. */
Test(file, replace_is_a_new_file)
{
	SCRATCH(scratch);
	char text[16] = { 0 };
	AUTO_CLOSE int old_fd = -EBADF;

	scratch_file(&scratch, "f", "old", 0600);
	old_fd = openat(scratch.fd, "f", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("new text"), 0600, NULL), 0);
	cr_assert_eq(read(old_fd, text, sizeof(text)), 3);
	cr_assert_str_eq(text, "old");
}

Test(file, replace_takes_the_place_of_a_link_and_does_not_follow_it)
{
	SCRATCH(scratch);
	char text[16];

	scratch_file(&scratch, "victim", "untouched", 0600);
	scratch_link(&scratch, "f", "victim");
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("new"), 0600, NULL), 0);
	cr_assert_str_eq(scratch_text(&scratch, "victim", text, sizeof(text)), "untouched");
	cr_assert_eq(scratch_mode(&scratch, "f"), S_IFREG | 0600);
}

/* The name of the temporary file can be guessed: what waits there is never written to (nor waited for). */
Test(file, replace_is_not_fooled_by_what_lies_at_the_temporary_name)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char name[64], text[16];

	snprintf(name, sizeof(name), ".f.%d", getpid());
	scratch_file(&scratch, "victim", "untouched", 0666);
	cr_assert_eq(linkat(scratch.fd, "victim", scratch.fd, name, 0), 0);
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("new"), 0600, &err), 0, "%s", err.message);
	cr_assert_str_eq(scratch_text(&scratch, "victim", text, sizeof(text)), "untouched");
	cr_assert_eq(scratch_mode(&scratch, "f"), S_IFREG | 0600);
	cr_assert_eq(mkfifoat(scratch.fd, name, 0666), 0);
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("newer"), 0600, &err), 0, "%s", err.message);
	cr_assert_str_eq(scratch_text(&scratch, "f", text, sizeof(text)), "newer");
	scratch_link(&scratch, name, "victim");
	cr_assert_eq(file_replace_at(scratch.fd, "f", CONTENT("newest"), 0600, &err), 0, "%s", err.message);
	cr_assert_str_eq(scratch_text(&scratch, "victim", text, sizeof(text)), "untouched");
	cr_assert_eq(scratch_count(&scratch), 2);
}

Test(file, replace_cleans_up_where_it_fails)
{
	SCRATCH(scratch);
	struct error err = { 0 };

	scratch_directory(&scratch, "d");
	cr_assert_eq(file_replace_at(scratch.fd, "d", CONTENT("x"), 0600, &err), -EISDIR);
	cr_assert_not_null(strstr(err.message, "write d"));
	cr_assert_eq(scratch_count(&scratch), 1);
}

Test(file, replace_by_path)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char path[256], text[16];

	snprintf(path, sizeof(path), "%s/pid", scratch.path);
	cr_assert_eq(file_replace(path, CONTENT("12"), 0644, &err), 0, "%s", err.message);
	cr_assert_eq(fchdir(scratch.fd), 0);
	cr_assert_eq(file_replace("pid", CONTENT("34"), 0644, &err), 0, "%s", err.message);
	cr_assert_str_eq(scratch_text(&scratch, "pid", text, sizeof(text)), "34");
	cr_assert_eq(file_replace("none/pid", CONTENT("x"), 0644, &err), -ENOENT);
	cr_assert_not_null(strstr(err.message, "none/pid"), "%s", err.message);
	cr_assert_lt(file_replace("", CONTENT("x"), 0644, &err), 0);
	cr_assert_lt(file_replace("./", CONTENT("x"), 0644, &err), 0);
	cr_assert_eq(scratch_count(&scratch), 1);
}

Test(file, what_is_there_to_be_written_to_is_not_replaced)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char path[256], text[16];
	int fd;

	cr_assert_eq(mkfifoat(scratch.fd, "fifo", 0600), 0);
	scratch_link(&scratch, "to-fifo", "fifo");
	scratch_link(&scratch, "to-file", "file");
	fd = openat(scratch.fd, "fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	snprintf(path, sizeof(path), "%s/fifo", scratch.path);
	cr_assert_eq(file_replace(path, CONTENT("one"), 0644, &err), 0, "%s", err.message);
	snprintf(path, sizeof(path), "%s/to-fifo", scratch.path);
	cr_assert_eq(file_replace(path, CONTENT("two"), 0644, &err), 0, "%s", err.message);
	cr_assert_eq(read(fd, text, sizeof(text)), 6);
	cr_assert_eq(memcmp(text, "onetwo", 6), 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/to-file", scratch.path);
	cr_assert_eq(file_replace(path, CONTENT("x"), 0644, &err), -EINVAL);
	cr_assert_not_null(strstr(err.message, "to-file"), "%s", err.message);
	cr_assert_eq(scratch_count(&scratch), 3);
}

Test(file, replace_by_a_path_without_end)
{
	char path[2 * PATH_MAX];
	struct error err = { 0 };

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	path[sizeof(path) - 3] = '/';
	cr_assert_eq(file_replace(path, CONTENT("x"), 0600, &err), -ENAMETOOLONG);
}

struct refused {
	const char *name, *words;
	int code;
};

Test(file, read_takes_regular_files_alone)
{
	static const struct refused list[] = {
		{ "link", "symbolic link", ELOOP },
		{ "fifo", "not a regular file", EINVAL },
		{ "directory", "not a regular file", EINVAL },
		{ "none", "open none", ENOENT },
		{ "big", "larger", EFBIG },
	};
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	SCRATCH(scratch);
	struct error err = { 0 };

	scratch_file(&scratch, "file", "abc", 0600);
	scratch_file(&scratch, "big", "abcdefghijk", 0600);
	scratch_link(&scratch, "link", "file");
	scratch_directory(&scratch, "directory");
	cr_assert_eq(mkfifoat(scratch.fd, "fifo", 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer refused = { 0 };

		cr_expect_eq(file_read_at(scratch.fd, list[i].name, 10, &refused, &err), -list[i].code, "%s",
			     list[i].name);
		cr_expect_not_null(strstr(err.message, list[i].words), "%s: %s", list[i].name, err.message);
	}
	cr_assert_eq(file_read_at(AT_FDCWD, "/dev/null", 10, &text, &err), -EINVAL);
	cr_assert_eq(file_read_at(scratch.fd, "file", 10, &text, &err), 0);
	cr_assert_str_eq(text.data, "abc");
}

static void make_directory(const struct scratch *scratch, const char *below, mode_t mode)
{
	struct error err = { 0 };
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", scratch->path, below);
	fd = file_make_directory(path, mode, &err);
	cr_assert_geq(fd, 0, "%s", err.message);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

Test(file, directories_are_made_with_their_parents)
{
	SCRATCH(scratch);

	make_directory(&scratch, "a/b/c", 0700);
	cr_assert_eq(scratch_mode(&scratch, "a"), S_IFDIR | 0711);
	cr_assert_eq(scratch_mode(&scratch, "a/b"), S_IFDIR | 0711);
	cr_assert_eq(scratch_mode(&scratch, "a/b/c"), S_IFDIR | 0700);
	make_directory(&scratch, "a/b/c", 0755);
	cr_assert_eq(scratch_mode(&scratch, "a/b/c"), S_IFDIR | 0700, "what is there stays as it is");
}

/* A state directory given as /run/x/ has to be as private as /run/x. */
Test(file, slashes_at_the_end_change_no_mode)
{
	SCRATCH(scratch);

	make_directory(&scratch, "a/", 0700);
	make_directory(&scratch, "b//c///", 0700);
	cr_assert_eq(scratch_mode(&scratch, "a"), S_IFDIR | 0700);
	cr_assert_eq(scratch_mode(&scratch, "b"), S_IFDIR | 0711);
	cr_assert_eq(scratch_mode(&scratch, "b/c"), S_IFDIR | 0700);
}

Test(file, directory_that_cannot_be)
{
	SCRATCH(scratch);
	struct error err = { 0 };
	char path[2 * PATH_MAX];

	scratch_file(&scratch, "file", "", 0600);
	snprintf(path, sizeof(path), "%s/file", scratch.path);
	cr_assert_eq(file_make_directory(path, 0700, &err), -ENOTDIR);
	snprintf(path, sizeof(path), "%s/file/below", scratch.path);
	cr_assert_eq(file_make_directory(path, 0700, &err), -ENOTDIR);
	cr_assert_eq(file_make_directory("", 0700, &err), -ENOENT);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(file_make_directory(path, 0700, &err), -ENAMETOOLONG);
}
