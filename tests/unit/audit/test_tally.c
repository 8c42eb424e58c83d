/* What lines add up to, and that they are counted once. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "audit/audit.h"
#include "audit/tally.h"
#include "base/cleanup.h"
#include "tests/support/scratch.h"

#define LABELS(...) ((const char *const[TALLY_LABELS]){ __VA_ARGS__ })
#define LINE(second, rest) "{\"time\":\"2030-01-01T00:00:" second ".000000000Z\"," rest "}\n"

static struct tally updated(const struct scratch *scratch)
{
	struct tally tally = { 0 };
	struct error err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/a", scratch->path);
	cr_assert_eq(tally_update(path, &tally, &err), 0, "%s", err.message);
	return tally;
}

/* Of one family without labels or with one, after an update. */
static uint64_t counted(const struct scratch *scratch, enum tally_family family, const char *label)
{
	struct tally tally = updated(scratch);
	uint64_t value = tally_value(&tally, family, LABELS(label));

	tally_done(&tally);
	return value;
}

static void append(const struct scratch *scratch, const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(scratch->fd, name, O_WRONLY | O_APPEND | O_CREAT, 0600);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void rotate(const struct scratch *scratch)
{
	renameat(scratch->fd, "a.1", scratch->fd, "a.2");
	cr_assert_eq(renameat(scratch->fd, "a", scratch->fd, "a.1"), 0);
}

Test(tally, every_event_in_its_place)
{
	SCRATCH(scratch);
	struct tally tally;

	scratch_file(
		&scratch, "a",
		LINE("00", "\"event\":\"policy\"") LINE(
			"01", "\"event\":\"create\",\"id\":\"c\",\"policy\":{\"name\":\"strict\"},\"took_usec\":7000,"
			      "\"report\":[{\"rule\":\"capability\",\"level\":\"adjusted\"},"
			      "{\"rule\":\"capability\",\"level\":\"adjusted\"}]")
			LINE("02", "\"event\":\"start\",\"id\":\"c\",\"policy\":{\"name\":\"strict\"},\"took_usec\":900")
				LINE("03", "\"event\":\"exec\",\"id\":\"c\",\"policy\":{\"name\":\"strict\"}") LINE(
					"04",
					"\"event\":\"exit\",\"id\":\"c\",\"status\":124,\"ended_by\":\"timeout\",\"denials\":7,"
					"\"denied\":[{\"call\":\"mount\",\"count\":4},{\"call\":\"bpf\",\"count\":1}]")
					LINE("05", "\"event\":\"delete\",\"id\":\"c\"") LINE(
						"06",
						"\"event\":\"refusal\",\"id\":\"d\",\"reason\":\"refused\",\"rule\":\"hook\",\"error\":\"no\"")
						LINE("07",
						     "\"event\":\"create\",\"id\":\"e\",\"reason\":\"system\",\"error\":\"no\"")
							LINE("08",
							     "\"event\":\"exit\",\"id\":\"f\",\"error\":\"no such program\"")
								LINE("09",
								     "\"event\":\"tomorrow's\",\"id\":\"f\"") "not a line of ours\n",
		0600);
	tally = updated(&scratch);
	cr_expect(tally.is_found);
	cr_expect_eq(tally_value(&tally, TALLY_POLICY_CHANGES, LABELS(NULL)), 1);
	cr_expect_eq(tally_value(&tally, TALLY_CREATES, LABELS("strict")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_STARTS, LABELS("strict")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_EXECS, LABELS("strict")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_ADJUSTMENTS, LABELS("capability", "adjusted")), 2);
	cr_expect_eq(tally_value(&tally, TALLY_DENIALS, LABELS("mount")), 4);
	cr_expect_eq(tally_value(&tally, TALLY_DENIALS, LABELS("bpf")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_DENIALS, LABELS("other")), 2, "the rest of the seven");
	cr_expect_eq(tally_value(&tally, TALLY_DEADLINES, LABELS("timeout")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_REFUSALS, LABELS("hook")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_FAILURES, LABELS("create", "system")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_FAILURES, LABELS("start", "program")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUPS, LABELS("3")), 1, "between 5 and 10 ms");
	cr_expect_eq(tally_value(&tally, TALLY_STARTUP_USEC, LABELS(NULL)), 7000);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUPS, LABELS("0", "start")), 1, "at most 1 ms");
	cr_expect_eq(tally_value(&tally, TALLY_STARTUP_USEC, LABELS("start")), 900);
	cr_expect_eq(tally_value(&tally, TALLY_BROKEN_LINES, LABELS(NULL)), 1);
	tally_done(&tally);
	/* What is kept beside the trail is the same. */
	tally = updated(&scratch);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUPS, LABELS("3")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUP_USEC, LABELS(NULL)), 7000);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUPS, LABELS("0", "start")), 1);
	cr_expect_eq(tally_value(&tally, TALLY_STARTUP_USEC, LABELS("start")), 900);
	tally_done(&tally);
}

Test(tally, a_line_is_counted_once_whatever_is_rotated)
{
	SCRATCH(scratch);

	scratch_file(&scratch, "a", LINE("01", "\"event\":\"start\"") LINE("02", "\"event\":\"start\""), 0600);
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 2);
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 2, "nothing new");
	append(&scratch, "a", LINE("03", "\"event\":\"start\""));
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 3);
	append(&scratch, "a", LINE("04", "\"event\":\"start\""));
	rotate(&scratch);
	append(&scratch, "a", LINE("05", "\"event\":\"start\""));
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 5, "the rest of the one, and the other");
	rotate(&scratch);
	append(&scratch, "a", LINE("06", "\"event\":\"start\""));
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 6);
	/* The file up to which it was counted is gone: all that is there is new. */
	cr_assert_eq(unlinkat(scratch.fd, "a", 0), 0);
	cr_assert_eq(unlinkat(scratch.fd, "a.1", 0), 0);
	cr_assert_eq(unlinkat(scratch.fd, "a.2", 0), 0);
	append(&scratch, "a", LINE("07", "\"event\":\"start\"") LINE("08", "\"event\":\"start\""));
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 8, "and the sums have stayed");
}

Test(tally, half_a_line_waits_for_its_other_half)
{
	SCRATCH(scratch);

	scratch_file(&scratch, "a", "{\"time\":\"20", 0600);
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 0);
	append(&scratch, "a", "30\",\"event\":\"start\"}\n{\"time\":\"2030-01-01T00:00:02Z\",\"event\":\"start\"");
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 1);
	append(&scratch, "a", "}\n");
	cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), 2);
}

Test(tally, the_same_kills_are_told_at_the_exit_and_at_the_removal)
{
	SCRATCH(scratch);
	struct tally tally;

	scratch_file(&scratch, "a",
		     LINE("01", "\"event\":\"exit\",\"id\":\"c\",\"usage\":{\"oom_kills\":2}")
			     LINE("02", "\"event\":\"exit\",\"id\":\"c\",\"exec\":\"x\",\"usage\":{\"oom_kills\":2}"),
		     0600);
	cr_expect_eq(counted(&scratch, TALLY_OOM_KILLS, NULL), 2);
	append(&scratch, "a", LINE("03", "\"event\":\"delete\",\"id\":\"c\",\"usage\":{\"oom_kills\":3}"));
	tally = updated(&scratch);
	cr_expect_eq(tally_value(&tally, TALLY_OOM_KILLS, LABELS(NULL)), 3, "one came after the exit");
	cr_expect_eq(tally.n_ooms, 0, "it is gone for good");
	tally_done(&tally);
	append(&scratch, "a", LINE("04", "\"event\":\"delete\",\"id\":\"d\",\"usage\":{\"oom_kills\":1}"));
	cr_expect_eq(counted(&scratch, TALLY_OOM_KILLS, NULL), 4, "nobody saw the exit of d");
}

Test(tally, no_trail_is_no_error_and_leaves_nothing)
{
	SCRATCH(scratch);
	struct tally tally = updated(&scratch);

	cr_expect_not(tally.is_found);
	cr_expect_eq(tally.n_counters, 0);
	cr_expect_not(scratch_has(&scratch, "a.sums"));
	tally_done(&tally);
}

Test(tally, sums_that_others_can_write_are_not_believed)
{
	SCRATCH(scratch);
	struct tally tally = { 0 };
	struct error err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/a", scratch.path);
	scratch_file(&scratch, "a", LINE("01", "\"event\":\"start\""), 0600);
	scratch_file(&scratch, "a.sums", "{}", 0600);
	cr_assert_eq(fchmodat(scratch.fd, "a.sums", 0666, 0), 0);
	cr_expect_lt(tally_update(path, &tally, &err), 0);
	cr_expect_eq(err.kind, ERROR_REFUSED, "%s", err.message);
	cr_assert_eq(unlinkat(scratch.fd, "a.sums", 0), 0);
	cr_assert_eq(symlinkat("a", scratch.fd, "a.sums"), 0);
	cr_expect_lt(tally_update(path, &tally, &err), 0);
	cr_expect_eq(err.kind, ERROR_REFUSED, "%s", err.message);
	cr_expect_null(tally.counters, "a failure touches nothing");
}

Test(tally, sums_that_are_not_ours_are_an_error_with_the_remedy)
{
	static const char *const texts[] = { "",
					     "[]",
					     "{\"version\":1}",
					     "{\"version\":2,\"position\":{\"file\":\"\",\"offset\":0},\"counters\":[],"
					     "\"ooms\":[]}",
					     "{\"version\":1,\"position\":{\"file\":\"\",\"offset\":-1},\"counters\":[],"
					     "\"ooms\":[]}",
					     "{\"version\":1,\"position\":{\"file\":\"\",\"offset\":0},\"counters\":"
					     "[{\"name\":\"wishes\",\"value\":1}],\"ooms\":[]}" };
	SCRATCH(scratch);
	char path[256];

	snprintf(path, sizeof(path), "%s/a", scratch.path);
	scratch_file(&scratch, "a", LINE("01", "\"event\":\"start\""), 0600);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct tally tally = { 0 };
		struct error err = { 0 };

		scratch_file(&scratch, "a.sums", texts[i], 0600);
		cr_expect_lt(tally_update(path, &tally, &err), 0, "%s", texts[i]);
		cr_expect_not_null(strstr(err.message, "removed, they are counted anew"), "%s", err.message);
	}
}

Test(tally, labels_without_end_have_one)
{
	struct tally tally = { 0 }, back = { 0 };
	struct error err = { 0 };
	char label[TALLY_LABEL_MAX * 2];
	struct buffer text = { 0 };

	for (unsigned i = 0; i < TALLY_COUNTERS_MAX + 100; i++) {
		snprintf(label, sizeof(label), "call-%u", i);
		cr_assert_eq(tally_add(&tally, TALLY_DENIALS, LABELS(label), 1, &err), 0);
	}
	cr_expect_eq(tally.n_counters, TALLY_COUNTERS_MAX);
	cr_expect_eq(tally_value(&tally, TALLY_UNCOUNTED, LABELS(NULL)), 101);
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	tally_format(&tally, &text);
	cr_assert_eq(tally_parse(text.data, text.length, &back, &err), 0, "the fullest can be read back: %s",
		     err.message);
	cr_expect_eq(back.n_counters, tally.n_counters);
	tally_done(&back);
	cr_assert_eq(tally_add(&back, TALLY_DENIALS, LABELS(label), 1, &err), 0);
	cr_assert_eq(tally_add(&back, TALLY_DENIALS, LABELS(label), 1, &err), 0);
	cr_expect_eq(back.n_counters, 1, "a label that is cut is the same label");
	cr_expect_eq(tally_value(&back, TALLY_DENIALS, LABELS(label)), 2);
	tally_done(&back);
	tally_done(&tally);
	buffer_done(&text);
}

Test(tally, containers_that_are_never_removed_have_an_end)
{
	struct tally tally = { 0 };
	struct error err = { 0 };
	char id[32];

	for (unsigned i = 0; i < TALLY_OOMS_MAX + 10; i++) {
		snprintf(id, sizeof(id), "c%u", i);
		cr_assert_eq(tally_remember_oom(&tally, id, 1, &err), 0);
	}
	cr_expect_eq(tally.n_ooms, TALLY_OOMS_MAX);
	cr_expect_str_eq(tally.ooms[0].id, "c10", "the oldest have gone");
	tally_done(&tally);
}

Test(tally, counting_leaves_no_descriptor_and_holds_up_no_writer)
{
	SCRATCH(scratch);
	size_t before = scratch_count_fds();
	const struct audit_record record = { .event = AUDIT_START, .id = "c" };
	struct audit_target target = { .max_bytes = AUDIT_BYTES_MIN, .keep = 2 };
	struct error err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "%s/a", scratch.path);
	target.path = path;
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(audit_write(&target, &record, &err), 0, "%s", err.message);
		cr_expect_eq(counted(&scratch, TALLY_STARTS, "unknown"), (uint64_t)i + 1);
	}
	cr_expect_eq(scratch_count_fds(), before);
}

Test(tally, refusals_of_egress_are_the_containers_and_the_proxys)
{
	SCRATCH(scratch);

	/* An exec's end has what its container's group has counted so far: the same again. */
	scratch_file(&scratch, "a",
		     LINE("01", "\"event\":\"exit\",\"id\":\"c\",\"exec\":\"e\",\"egress_denials\":2")
			     LINE("02", "\"event\":\"exit\",\"id\":\"c\",\"egress_denials\":3") LINE(
				     "03", "\"event\":\"egress\",\"id\":\"s\",\"request\":{\"allowed\":false}")
				     LINE("04", "\"event\":\"egress\",\"id\":\"s\",\"request\":{\"allowed\":true}"),
		     0600);
	cr_expect_eq(counted(&scratch, TALLY_EGRESS_DENIALS, "list"), 3);
	cr_expect_eq(counted(&scratch, TALLY_EGRESS_DENIALS, "proxy"), 1, "and once, though it was read again");
}
