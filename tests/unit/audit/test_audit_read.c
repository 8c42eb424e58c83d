/* Reading a trail that is not as brig has left it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "audit/audit_read.h"
#include "audit/audit_record.h"
#include "base/cleanup.h"
#include "tests/support/scratch.h"

struct seen {
	char text[4096];
	int stop_after;
};

static int look(void *context, const struct audit_entry *entry, struct error *err)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%s %s %s %d;", entry->event, entry->id, entry->pod,
		 entry->has_status ? (int)entry->status : -1);
	return --seen->stop_after == 0 ? error_set(err, ERROR_SYSTEM, EPIPE, "enough") : 0;
}

static int read_trail(const struct scratch *scratch, struct seen *seen, uint64_t *ret_broken, struct error *err)
{
	char path[256];
	struct audit_reader reader = { .path = path, .take = look, .context = seen };
	int rc;

	snprintf(path, sizeof(path), "%s/a", scratch->path);
	seen->text[0] = '\0';
	rc = audit_read(&reader, err);
	*ret_broken = reader.n_broken;
	return rc;
}

Test(audit_read, files_and_lines_in_order)
{
	SCRATCH(scratch);
	struct seen seen = { 0 };
	struct error err = { 0 };
	uint64_t broken;

	scratch_file(&scratch, "a",
		     "{\"time\":\"3\",\"event\":\"exit\",\"id\":\"c\",\"status\":7,\"new\":{\"x\":[1]}}\n", 0600);
	scratch_file(&scratch, "a.1", "{\"time\":\"2\",\"event\":\"start\",\"id\":\"b\"}\n", 0600);
	scratch_file(&scratch, "a.12",
		     "{\"time\":\"1\",\"event\":\"create\",\"id\":\"a\",\"workload\":{\"pod\":\"p\",\"uid\":\"u\"}}\n",
		     0600);
	cr_assert_eq(read_trail(&scratch, &seen, &broken, &err), 0, "%s", err.message);
	cr_expect_str_eq(seen.text, "create a p -1;start b  -1;exit c  7;");
	cr_expect_eq(broken, 0);
}

Test(audit_read, lines_that_are_not_brig_s_are_counted)
{
	SCRATCH(scratch);
	struct seen seen = { 0 };
	struct error err = { 0 };
	uint64_t broken;

	scratch_file(&scratch, "a",
		     "nothing\n\n{\"time\":1,\"event\":\"x\"}\n{\"event\":\"start\"}\n[]\n"
		     "{\"time\":\"1\",\"event\":\"start\",\"id\":\"b\"}\n{\"time\":\"1\",\"event\":\"st",
		     0600);
	cr_assert_eq(read_trail(&scratch, &seen, &broken, &err), 0, "%s", err.message);
	cr_expect_str_eq(seen.text, "start b  -1;");
	cr_expect_eq(broken, 5, "and the last one is under way: %u", (unsigned)broken);
}

Test(audit_read, a_line_without_end_is_passed_over)
{
	SCRATCH(scratch);
	struct seen seen = { 0 };
	struct error err = { 0 };
	AUTO_FREE char *text = malloc(5 * AUDIT_LINE_MAX + 100);
	uint64_t broken;

	memset(text, 'x', 5 * AUDIT_LINE_MAX);
	strcpy(text + 5 * AUDIT_LINE_MAX, "\n{\"time\":\"1\",\"event\":\"start\",\"id\":\"b\"}\n");
	scratch_file(&scratch, "a", text, 0600);
	cr_assert_eq(read_trail(&scratch, &seen, &broken, &err), 0, "%s", err.message);
	cr_expect_str_eq(seen.text, "start b  -1;");
	cr_expect_gt(broken, 0);
}

Test(audit_read, no_trail_is_an_error_that_says_so)
{
	SCRATCH(scratch);
	struct seen seen = { 0 };
	struct error err = { 0 };
	uint64_t broken;

	cr_expect_lt(read_trail(&scratch, &seen, &broken, &err), 0);
	cr_expect_eq(err.kind, ERROR_NOT_FOUND, "%s", err.message);
	cr_expect_not(scratch_has(&scratch, "a"), "reading makes nothing");
}

Test(audit_read, a_callee_ends_it)
{
	SCRATCH(scratch);
	struct seen seen = { .stop_after = 1 };
	struct error err = { 0 };
	size_t before = scratch_count_fds();
	uint64_t broken;

	scratch_file(&scratch, "a", "{\"time\":\"1\",\"event\":\"a\"}\n{\"time\":\"2\",\"event\":\"b\"}\n", 0600);
	cr_expect_eq(read_trail(&scratch, &seen, &broken, &err), -EPIPE);
	cr_expect_str_eq(seen.text, "a   -1;");
	cr_expect_eq(scratch_count_fds(), before);
}

Test(audit_read, what_others_can_write_is_not_believed)
{
	SCRATCH(scratch);
	struct seen seen = { 0 };
	struct error err = { 0 };
	uint64_t broken;

	scratch_file(&scratch, "a", "{\"time\":\"1\",\"event\":\"a\"}\n", 0622);
	cr_assert_eq(fchmodat(scratch.fd, "a", 0622, 0), 0);
	cr_expect_lt(read_trail(&scratch, &seen, &broken, &err), 0);
	cr_expect_eq(err.kind, ERROR_REFUSED, "%s", err.message);
}
