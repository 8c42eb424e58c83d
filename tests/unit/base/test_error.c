#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"

Test(error, crosses_a_socket_in_one_piece)
{
	cr_assert_leq(sizeof(struct error), 1024);
	cr_assert_lt(sizeof(struct error), PIPE_BUF);
}

Test(error, setters_fill_kind_code_and_text)
{
	struct error err = { 0 };

	cr_assert_eq(error_set(&err, ERROR_REFUSED, EPERM, "no %s, %d", "way", 7), -EPERM);
	cr_assert_eq(err.kind, ERROR_REFUSED);
	cr_assert_eq(err.code, EPERM);
	cr_assert_str_eq(err.message, "no way, 7");

	cr_assert_eq(error_system(&err, ENOENT, "open %s", "/x"), -ENOENT);
	cr_assert_eq(err.kind, ERROR_SYSTEM);
	cr_assert_eq(err.code, ENOENT);
	cr_assert_str_eq(err.message, "open /x: No such file or directory");

	cr_assert_eq(error_named(&err, ENOENT, "open %s", "/x"), -ENOENT);
	cr_assert_eq(err.kind, ERROR_NOT_FOUND);
	cr_assert_eq(err.code, ENOENT);
	cr_assert_str_eq(err.message, "open /x: No such file or directory");

	cr_assert_eq(error_invalid(&err, "a.b: found %u", 3U), -EINVAL);
	cr_assert_eq(err.kind, ERROR_INVALID);
	cr_assert_eq(err.code, EINVAL);
	cr_assert_str_eq(err.message, "a.b: found 3");

	cr_assert_eq(error_memory(&err), -ENOMEM);
	cr_assert_eq(err.kind, ERROR_INTERNAL);
	cr_assert_str_eq(err.message, "out of memory");
}

Test(error, nobody_has_to_listen)
{
	cr_assert_eq(error_set(NULL, ERROR_REFUSED, EPERM, "x"), -EPERM);
	cr_assert_eq(error_system(NULL, EIO, "x"), -EIO);
	cr_assert_eq(error_named(NULL, ENOENT, "x"), -ENOENT);
	cr_assert_eq(error_invalid(NULL, "x"), -EINVAL);
	cr_assert_eq(error_memory(NULL), -ENOMEM);
	cr_assert_eq(error_prefix(NULL, "x"), -EIO);
}

Test(error, unknown_errno_has_a_text)
{
	struct error err = { 0 };

	cr_assert_eq(error_system(&err, 9999, "do"), -9999);
	cr_assert_str_eq(err.message, "do: unknown error");
}

Test(error, prefix_keeps_kind_code_and_cause)
{
	struct error err = { 0 };

	error_system(&err, EACCES, "open %s", "x");
	cr_assert_eq(error_prefix(&err, "mounts[%d] (%s)", 3, "/proc"), -EACCES);
	cr_assert_eq(error_prefix(&err, "container %s", "c"), -EACCES);
	cr_assert_eq(err.kind, ERROR_SYSTEM);
	cr_assert_eq(err.code, EACCES);
	cr_assert_str_eq(err.message, "container c: mounts[3] (/proc): open x: Permission denied");
}

Test(error, prefix_may_quote_the_message_itself)
{
	struct error err = { 0 };

	error_set(&err, ERROR_USAGE, EINVAL, "inner %%s %%n stays text");
	error_prefix(&err, "outer");
	cr_assert_str_eq(err.message, "outer: inner %s %n stays text");
}

Test(error, long_texts_are_cut_and_terminated)
{
	struct error err = { 0 };
	char text[4 * sizeof(err.message)];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, ERROR_USAGE, EINVAL, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	error_system(&err, EIO, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	cr_assert_eq(err.code, EIO);
	cr_assert_eq(error_prefix(&err, "begin"), -EIO);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	cr_assert_eq(strncmp(err.message, "begin: xxx", 10), 0);
	error_prefix(&err, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
}

Test(error, a_name_is_at_fault_where_another_name_would_do)
{
	static const int names[] = { EACCES, ENOTDIR, ELOOP, ENAMETOOLONG, ENXIO, EISDIR, EROFS };
	static const int ours[] = { EMFILE, ENFILE, ENOMEM, ENOSPC, EIO, EINTR, EDQUOT, EAGAIN };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_expect_eq(error_kind_of_name(names[i]), ERROR_INVALID, "%s", strerrorname_np(names[i]));
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		cr_expect_eq(error_kind_of_name(ours[i]), ERROR_SYSTEM, "%s", strerrorname_np(ours[i]));
}
