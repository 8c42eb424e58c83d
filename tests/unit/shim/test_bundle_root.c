#include <limits.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/bootstrap/bundle_root.h"
#include "tests/support/scratch.h"

static int read_root(const struct scratch *scratch, struct arena *arena, const char **ret, struct error *err)
{
	*err = (struct error){ 0 };
	return bundle_root_read(scratch->fd, arena, ret, err);
}

Test(bundle_root, is_what_was_written_last)
{
	SCRATCH(scratch);
	AUTO(arena_free) struct arena *arena = arena_new(64 * 1024);
	const char *root = "untouched";
	struct error err;

	cr_assert_eq(read_root(&scratch, arena, &root, &err), 0, "%s", err.message);
	cr_expect_null(root);
	cr_assert_eq(bundle_root_write(scratch.fd, "/run/one/default", &err), 0, "%s", err.message);
	cr_assert_eq(bundle_root_write(scratch.fd, "/run/other", &err), 0, "%s", err.message);
	cr_assert_eq(read_root(&scratch, arena, &root, &err), 0, "%s", err.message);
	cr_expect_str_eq(root, "/run/other");
	cr_expect_eq(scratch_mode(&scratch, BUNDLE_ROOT_FILE) & 07777, 0600);
	cr_expect_eq(scratch_count(&scratch), 1, "no temporary file is left");
}

/* `delete` removes what is below it, as root: nothing but a path of ours will do. */
Test(bundle_root, anything_else_is_refused)
{
	static char endless[PATH_MAX + 2];
	SCRATCH(scratch);
	AUTO(arena_free) struct arena *arena = arena_new(64 * 1024);
	const char *root = "untouched";
	struct error err;

	scratch_file(&scratch, BUNDLE_ROOT_FILE, "", 0600);
	cr_expect_eq(read_root(&scratch, arena, &root, &err), -EINVAL, "empty");
	cr_expect_not_null(strstr(err.message, BUNDLE_ROOT_FILE), "%s", err.message);
	scratch_file(&scratch, BUNDLE_ROOT_FILE, "run/brig", 0600);
	cr_expect_eq(read_root(&scratch, arena, &root, &err), -EINVAL, "relative");
	memset(endless, '/', sizeof(endless) - 1);
	scratch_file(&scratch, BUNDLE_ROOT_FILE, endless, 0600);
	cr_expect_eq(read_root(&scratch, arena, &root, &err), -EFBIG);
	unlinkat(scratch.fd, BUNDLE_ROOT_FILE, 0);
	scratch_file(&scratch, "elsewhere", "/run/other", 0600);
	scratch_link(&scratch, BUNDLE_ROOT_FILE, "elsewhere");
	cr_expect_eq(read_root(&scratch, arena, &root, &err), -ELOOP);
	cr_expect_str_eq(root, "untouched");
}
