/* Who may have written the policy. What needs another owner runs as root alone. */
#include <errno.h>
#include <stdio.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "policy/policy.h"
#include "policy/policy_internal.h"
#include "tests/support/scratch.h"

static const char good[] = "{\"set\": \"conformant\", \"rules\": {\"rlimit-raise\": \"enforce\"}}";

static int load(const struct scratch *scratch, const char *name, struct policy *ret, struct error *err)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
	return policy_load(path, ret, err);
}

static void refused(const struct scratch *scratch, const char *name, enum error_kind kind, const char *words)
{
	struct policy policy = { .set = 77 };
	struct error err = { 0 };
	size_t fds = scratch_count_fds();

	cr_expect_lt(load(scratch, name, &policy, &err), 0, "%s was taken", name);
	cr_expect_eq(err.kind, kind, "kind %d: %s", err.kind, err.message);
	cr_expect_not_null(strstr(err.message, words), "expected \"%s\" in: %s", words, err.message);
	cr_expect_not_null(strstr(err.message, name), "the message names the file: %s", err.message);
	cr_expect_eq((int)policy.set, 77, "a failed load must not touch its output");
	cr_expect_eq(scratch_count_fds(), fds, "a descriptor stays open");
}

#define AS_ROOT()           \
	if (geteuid() != 0) \
	cr_skip_test("files that belong to root take root")

Test(policy_file, one_of_roots_is_taken)
{
	AS_ROOT();
	SCRATCH(scratch);
	struct policy policy;
	struct error err = { 0 };

	scratch_file(&scratch, "policy.json", good, 0644);
	cr_assert_eq(load(&scratch, "policy.json", &policy, &err), 0, "%s", err.message);
	cr_expect_eq(policy_level(&policy, POLICY_RLIMIT_RAISE), POLICY_ENFORCE);
	cr_expect_not_null(strstr(policy_name(&policy), "conformant (/"), "%s", policy_name(&policy));
	cr_expect_not_null(strstr(policy_name(&policy), "/policy.json)"), "%s", policy_name(&policy));
	policy_done(&policy);
}

Test(policy_file, writable_by_others_is_refused)
{
	static const mode_t modes[] = { 0664, 0646, 0666, 0620, 0602, 0777 };

	AS_ROOT();
	SCRATCH(scratch);
	scratch_file(&scratch, "policy.json", good, 0600);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cr_assert_eq(fchmodat(scratch.fd, "policy.json", modes[i], 0), 0);
		refused(&scratch, "policy.json", ERROR_REFUSED, "chmod go-w");
	}
}

Test(policy_file, in_a_folder_of_others_is_refused)
{
	static const mode_t modes[] = { 0775, 0757, 0777 };
	struct policy policy;
	struct error err = { 0 };

	AS_ROOT();
	SCRATCH(scratch);
	scratch_file(&scratch, "policy.json", good, 0644);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cr_assert_eq(fchmod(scratch.fd, modes[i]), 0);
		refused(&scratch, "policy.json", ERROR_REFUSED, "chmod go-w the folder");
	}
	cr_assert_eq(fchmod(scratch.fd, 0755), 0);
	cr_assert_eq(fchown(scratch.fd, 1000, 0), 0);
	refused(&scratch, "policy.json", ERROR_REFUSED, "folder of uid 1000");
	cr_assert_eq(fchown(scratch.fd, 0, 0), 0);
	cr_assert_eq(fchmod(scratch.fd, 01777), 0);
	cr_assert_eq(load(&scratch, "policy.json", &policy, &err), 0, "what is root's stays in a sticky one: %s",
		     err.message);
	policy_done(&policy);
}

/* Who may rename in the folder may have taken it away. */
Test(policy_file, that_is_missing_in_a_folder_of_others_is_not_none)
{
	char path[256];
	struct error err = { 0 };

	AS_ROOT();
	SCRATCH(scratch);
	snprintf(path, sizeof(path), "%s/policy.json", scratch.path);
	cr_expect_eq(policy_check_absent(path, &err), 0, "%s", err.message);
	cr_assert_eq(fchown(scratch.fd, 1000, 0), 0);
	cr_expect_eq(policy_check_absent(path, &err), -EPERM);
	cr_expect_not_null(strstr(err.message, "policy.json, which is not there: lies in a folder of uid 1000"), "%s",
			   err.message);
	snprintf(path, sizeof(path), "%s/none/policy.json", scratch.path);
	cr_expect_eq(policy_check_absent(path, &err), 0, "without a folder nobody took it away");
}

Test(policy_file, of_another_owner_is_refused)
{
	static const uid_t owners[] = { 1, 1000, 65534 };

	AS_ROOT();
	SCRATCH(scratch);
	scratch_file(&scratch, "policy.json", good, 0644);
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		cr_assert_eq(fchownat(scratch.fd, "policy.json", owners[i], 0, 0), 0);
		refused(&scratch, "policy.json", ERROR_REFUSED, "chown root");
	}
}

Test(policy_file, of_the_ordinary_user_that_reads_it_is_refused)
{
	if (geteuid() == 0) {
		SCRATCH(scratch);
		scratch_drop_root(&scratch);
		scratch_file(&scratch, "policy.json", good, 0600);
		refused(&scratch, "policy.json", ERROR_REFUSED, "chown root");
		return;
	}
	SCRATCH(scratch);
	scratch_file(&scratch, "policy.json", good, 0600);
	refused(&scratch, "policy.json", ERROR_REFUSED, "chown root");
}

Test(policy_file, what_is_no_plain_file_is_refused)
{
	SCRATCH(scratch);

	scratch_file(&scratch, "real", good, 0644);
	scratch_link(&scratch, "link", "real");
	scratch_directory(&scratch, "directory");
	cr_assert_eq(mkfifoat(scratch.fd, "fifo", 0600), 0);
	refused(&scratch, "link", ERROR_INVALID, "symbolic link");
	refused(&scratch, "directory", ERROR_INVALID, "not a regular file");
	refused(&scratch, "fifo", ERROR_INVALID, "not a regular file");
	refused(&scratch, "missing", ERROR_NOT_FOUND, "does not exist");
	refused(&scratch, "real/below", ERROR_INVALID, "open it");
}

Test(policy_file, devices_are_not_read)
{
	struct policy policy;
	struct error err = { 0 };

	cr_expect_lt(policy_load("/dev/zero", &policy, &err), 0);
	cr_expect_eq(err.kind, ERROR_INVALID);
	cr_expect_lt(policy_load("/dev/full", &policy, NULL), 0, "without an error to fill");
}

Test(policy_file, mistakes_name_file_and_place)
{
	AS_ROOT();
	SCRATCH(scratch);
	scratch_file(&scratch, "broken", "{\"set\": \"conformant\", \"rules\": {\"rlimits\": \"warn\"}}", 0644);
	scratch_file(&scratch, "empty", "", 0644);
	refused(&scratch, "broken", ERROR_INVALID, "rules: unknown key \"rlimits\"; there is: capability-unknown");
	refused(&scratch, "empty", ERROR_INVALID, "no valid JSON");
}

/* Sparse: as large as the file system lets it be, and only a little of it may be read. */
Test(policy_file, a_huge_one_is_refused)
{
	AS_ROOT();
	SCRATCH(scratch);
	int fd;

	scratch_file(&scratch, "huge", good, 0644);
	fd = openat(scratch.fd, "huge", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(ftruncate(fd, (off_t)1 << 32), 0);
	close(fd);
	refused(&scratch, "huge", ERROR_INVALID, "larger than the 65536 bytes");
}
