#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <criterion/criterion.h>

#include "base/syscalls.h"
#include "plan/plan_mount_options.h"
#include "plan_fixture.h"

#define RELATIME MOUNT_ATTR__ATIME /* as a mask to clear */

static const struct plan_mount *build(struct plan_fixture *fixture, const char *type, const char *options)
{
	char mount[512];

	snprintf(mount, sizeof(mount), "{'destination':'/a','source':'/s','type':'%s','options':[%s]}", type, options);
	plan_fixture_good(fixture, &(struct plan_fixture_json){ .mounts = mount });
	return &fixture->plan->rootfs.mounts[0];
}

/* What each option does to a bind mount. */
Test(plan_mount_options, attributes)
{
	static const struct {
		const char *options;
		uint64_t set, clear, rset, rclear;
	} cases[] = {
		{ "", 0, 0, 0, 0 },
		{ "'defaults','async','loud','silent','iversion','noiversion','nomand','nolazytime'", 0, 0, 0, 0 },
		{ "'sync','dirsync','lazytime','mand','copy','nocopy'", 0, 0, 0, 0 },
		{ "'ro'", MOUNT_ATTR_RDONLY, 0, 0, 0 },
		{ "'rw'", 0, MOUNT_ATTR_RDONLY, 0, 0 },
		{ "'ro','rw'", 0, MOUNT_ATTR_RDONLY, 0, 0 },
		{ "'rw','ro'", MOUNT_ATTR_RDONLY, 0, 0, 0 },
		{ "'nosuid'", MOUNT_ATTR_NOSUID, 0, 0, 0 },
		{ "'suid'", 0, MOUNT_ATTR_NOSUID, 0, 0 },
		{ "'nodev'", MOUNT_ATTR_NODEV, 0, 0, 0 },
		{ "'dev'", 0, MOUNT_ATTR_NODEV, 0, 0 },
		{ "'noexec'", MOUNT_ATTR_NOEXEC, 0, 0, 0 },
		{ "'exec'", 0, MOUNT_ATTR_NOEXEC, 0, 0 },
		{ "'nodiratime'", MOUNT_ATTR_NODIRATIME, 0, 0, 0 },
		{ "'diratime'", 0, MOUNT_ATTR_NODIRATIME, 0, 0 },
		{ "'nosymfollow'", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0 },
		{ "'symfollow'", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0 },
		{ "'noatime'", MOUNT_ATTR_NOATIME, RELATIME, 0, 0 },
		{ "'strictatime'", MOUNT_ATTR_STRICTATIME, RELATIME, 0, 0 },
		{ "'relatime'", 0, RELATIME, 0, 0 },
		{ "'atime'", 0, RELATIME, 0, 0 },
		{ "'nostrictatime'", 0, RELATIME, 0, 0 },
		{ "'norelatime','rnorelatime'", 0, 0, 0, 0 },
		{ "'noatime','strictatime'", MOUNT_ATTR_STRICTATIME, RELATIME, 0, 0 },
		{ "'rro'", 0, 0, MOUNT_ATTR_RDONLY, 0 },
		{ "'rrw'", 0, 0, 0, MOUNT_ATTR_RDONLY },
		{ "'rnosuid','rnodev','rnoexec'", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0 },
		{ "'rsuid','rdev','rexec'", 0, 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
		{ "'rnodiratime','rnosymfollow'", 0, 0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, 0 },
		{ "'rdiratime','rsymfollow'", 0, 0, 0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW },
		{ "'rnoatime'", 0, 0, MOUNT_ATTR_NOATIME, RELATIME },
		{ "'rstrictatime'", 0, 0, MOUNT_ATTR_STRICTATIME, RELATIME },
		{ "'ratime'", 0, 0, 0, RELATIME },
		{ "'rrelatime'", 0, 0, 0, RELATIME },
		{ "'rnostrictatime'", 0, 0, 0, RELATIME },
		{ "'ro','rnosuid','rw'", 0, MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, 0 },
		{ "'rro','rw'", 0, 0, MOUNT_ATTR_RDONLY, 0 },
		{ "'rw','rro'", 0, 0, MOUNT_ATTR_RDONLY, 0 },
		{ "'ro','rrw'", 0, 0, 0, MOUNT_ATTR_RDONLY },
		{ "'rrw','ro','nodev'", MOUNT_ATTR_NODEV, 0, 0, MOUNT_ATTR_RDONLY },
		{ "'rro','rrw','ro'", 0, 0, 0, MOUNT_ATTR_RDONLY },
		{ "'rnoatime','strictatime'", 0, 0, MOUNT_ATTR_NOATIME, RELATIME },
		{ "'noatime','ratime'", 0, 0, 0, RELATIME },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct plan_mount *mount = build(&fixture, "bind", cases[i].options);

		cr_expect_eq(mount->attr_set, cases[i].set, "%s", cases[i].options);
		cr_expect_eq(mount->attr_clear, cases[i].clear, "%s", cases[i].options);
		cr_expect_eq(mount->rattr_set, cases[i].rset, "%s", cases[i].options);
		cr_expect_eq(mount->rattr_clear, cases[i].rclear, "%s", cases[i].options);
		cr_expect_eq(mount->n_options, 0, "%s", cases[i].options);
	}
}

/* There is nothing below a new file system. */
Test(plan_mount_options, recursive_ones_fold_for_a_new_file_system)
{
	static const struct {
		const char *options;
		uint64_t set;
	} cases[] = {
		{ "'ro','rnosuid'", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID },
		{ "'ro','nodev','rrw'", MOUNT_ATTR_NODEV },
		{ "'noatime','rstrictatime'", MOUNT_ATTR_STRICTATIME },
		{ "'rw','suid','dev','exec'", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct plan_mount *mount = build(&fixture, "tmpfs", cases[i].options);

		cr_expect_eq(mount->attr_set, cases[i].set, "%s", cases[i].options);
		cr_expect_eq(mount->attr_clear | mount->rattr_set | mount->rattr_clear, 0, "%s", cases[i].options);
	}
}

Test(plan_mount_options, the_rest_goes_to_the_file_system)
{
	static const struct {
		const char *key, *value;
	} expected[] = { { "size", "64k" }, { "mode", "755" }, { "sync", NULL },
			 { "huge", NULL },  { "x", "a=b" },    { "y", "" } };
	PLAN_FIXTURE(fixture);
	const struct plan_mount *mount =
		build(&fixture, "tmpfs", "'nosuid','size=64k','mode=755','sync','huge','','x=a=b','y=','tmpcopyup'");

	cr_assert_eq(mount->n_options, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < mount->n_options; i++) {
		cr_expect_str_eq(mount->options[i].key, expected[i].key);
		if (expected[i].value)
			cr_expect_str_eq(mount->options[i].value, expected[i].value);
		else
			cr_expect_null(mount->options[i].value);
	}
	cr_expect(mount->copy_up);
	cr_expect_eq(mount->attr_set, MOUNT_ATTR_NOSUID);
}

Test(plan_mount_options, permissions_of_the_directory_beneath_are_for_a_tmpfs_that_names_none)
{
	static const struct {
		const char *type, *options;
		bool kept;
	} cases[] = {
		{ "tmpfs", "'size=1m','ro'", true }, { "tmpfs", "'mode=755'", false },
		{ "tmpfs", "'tmpcopyup'", false },   { "proc", "'nosuid'", false },
		{ "tmpfs", "'model=1'", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PLAN_FIXTURE(fixture);
		const struct plan_mount *mount = build(&fixture, cases[i].type, cases[i].options);

		cr_expect_eq(mount->keep_mode, cases[i].kept, "%s %s", cases[i].type, cases[i].options);
	}
}

/* A disk's journal is replayed unless the file system itself is told. */
Test(plan_mount_options, read_only_reaches_a_disk)
{
	PLAN_FIXTURE(disk);
	PLAN_FIXTURE(memory);
	const struct plan_mount *mount = build(&disk, "ext4", "'ro'");

	cr_assert_eq(mount->n_options, 1);
	cr_expect_str_eq(mount->options[0].key, "ro");
	cr_expect_eq(build(&memory, "tmpfs", "'ro'")->n_options, 0);
}

Test(plan_mount_options, remount_is_refused_by_name)
{
	plan_fixture_refused(
		&(struct plan_fixture_json){ .mounts = "{'destination':'/a','source':'/s','options':['bind','remount']}" },
		ERROR_UNSUPPORTED, "mounts[0].options[1]: \"remount\" is not supported");
}

/* What `features` lists: every name of OCI 1.3, each once. */
Test(plan_mount_options, names)
{
	static const char *const some[] = { "ro",	 "rro",		"idmap",	"ridmap",
					    "tmpcopyup", "runbindable", "rnosymfollow", "remount" };
	size_t n = 0;

	for (const char *name; (name = plan_mount_options_name(n)); n++) {
		for (size_t i = 0; i < n; i++)
			cr_expect_str_neq(plan_mount_options_name(i), name);
	}
	cr_expect_eq(n, 62);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		size_t k = 0;

		while (k < n && strcmp(plan_mount_options_name(k), some[i]) != 0)
			k++;
		cr_expect_lt(k, n, "%s", some[i]);
	}
}
