/* The trail on disk: who may reach it, whole lines, rotation, writers side by side and writers that are killed. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "audit/audit.h"
#include "audit/audit_read.h"
#include "base/cleanup.h"
#include "tests/support/scratch.h"

#define NAME "audit.jsonl"

struct seen {
	unsigned n;
	char last_time[64], last_event[32], first_id[64], last_id[64];
	bool disordered;
	unsigned counts[64][512]; /* by writer and number: ids "WRITER-NUMBER" */
};

static struct audit_target target_at(const struct scratch *scratch, char path[static 256])
{
	snprintf(path, 256, "%s/" NAME, scratch->path);
	return (struct audit_target){ .path = path, .max_bytes = AUDIT_BYTES_DEFAULT, .keep = AUDIT_KEEP_DEFAULT };
}

#define TARGET(target)           \
	SCRATCH(scratch);        \
	char target##_path[256]; \
	struct audit_target target = target_at(&scratch, target##_path)

static int write_event(const struct audit_target *target, const char *id, struct error *err)
{
	return audit_write(target, &(struct audit_record){ .event = AUDIT_START, .id = id }, err);
}

static void must_write(const struct audit_target *target, const char *id)
{
	struct error err = { 0 };

	cr_assert_eq(write_event(target, id, &err), 0, "%s", err.message);
}

static int look(void *context, const struct audit_entry *entry, struct error *err)
{
	struct seen *seen = context;
	unsigned writer, number;

	(void)err;
	seen->disordered |= strcmp(entry->time, seen->last_time) < 0;
	snprintf(seen->last_time, sizeof(seen->last_time), "%s", entry->time);
	snprintf(seen->last_event, sizeof(seen->last_event), "%s", entry->event);
	snprintf(seen->last_id, sizeof(seen->last_id), "%s", entry->id);
	if (seen->n++ == 0)
		snprintf(seen->first_id, sizeof(seen->first_id), "%s", entry->id);
	if (sscanf(entry->id, "%u-%u", &writer, &number) == 2 && writer < 64 && number < 512)
		seen->counts[writer][number]++;
	return 0;
}

/* Returns how many lines are broken. */
static uint64_t read_back(const struct audit_target *target, struct seen *seen)
{
	struct audit_reader reader = { .path = target->path, .take = look, .context = seen };
	struct error err = { 0 };

	memset(seen, 0, sizeof(*seen));
	cr_assert_eq(audit_read(&reader, &err), 0, "%s", err.message);
	return reader.n_broken;
}

static void expect_refused(const struct audit_target *target, enum error_kind kind, const char *reason)
{
	struct error err = { 0 };

	cr_expect_lt(write_event(target, "box", &err), 0);
	cr_expect_eq(err.kind, kind, "%s", err.message);
	cr_expect_not_null(strstr(err.message, reason), "expected \"%s\", found: %s", reason, err.message);
}

Test(audit, is_made_for_its_owner_alone)
{
	SCRATCH(scratch);
	char path[256], text[512];
	struct audit_target target = target_at(&scratch, path);

	snprintf(path, sizeof(path), "%s/new/log/" NAME, scratch.path);
	umask(0);
	must_write(&target, "box");
	cr_expect_eq(scratch_mode(&scratch, "new/log"), S_IFDIR | 0700);
	cr_expect_eq(scratch_mode(&scratch, "new/log/" NAME), S_IFREG | 0600);
	scratch_text(&scratch, "new/log/" NAME, text, sizeof(text));
	cr_expect_not_null(strstr(text, "\"event\":\"start\",\"id\":\"box\"}\n"), "%s", text);
	cr_expect_eq(strncmp(text, "{\"time\":\"2", 10), 0, "the time is put in: %s", text);
	cr_expect_eq(scratch_count_fds(), scratch_count_fds());
}

Test(audit, leaves_no_descriptor_open)
{
	TARGET(target);
	size_t before = scratch_count_fds();

	must_write(&target, "a");
	scratch_link(&scratch, NAME ".2", "/nowhere");
	chmod(target.path, 0644);
	expect_refused(&target, ERROR_REFUSED, "mode 0644");
	cr_expect_eq(scratch_count_fds(), before);
}

Test(audit, without_a_path_there_is_none)
{
	cr_expect_eq(write_event(&(struct audit_target){ .path = NULL }, "box", NULL), 0);
}

Test(audit, refuses_what_others_can_reach)
{
	TARGET(target);

	scratch_file(&scratch, "elsewhere", "", 0600);
	scratch_link(&scratch, NAME, "elsewhere");
	expect_refused(&target, ERROR_REFUSED, "symbolic link");
	unlinkat(scratch.fd, NAME, 0);

	cr_assert_eq(linkat(scratch.fd, "elsewhere", scratch.fd, NAME, 0), 0);
	expect_refused(&target, ERROR_REFUSED, "2 links");
	unlinkat(scratch.fd, NAME, 0);

	cr_assert_eq(mkfifoat(scratch.fd, NAME, 0600), 0);
	expect_refused(&target, ERROR_REFUSED, "not a regular file");
	unlinkat(scratch.fd, NAME, 0);

	scratch_file(&scratch, NAME, "", 0640);
	expect_refused(&target, ERROR_REFUSED, "mode 0640");
	unlinkat(scratch.fd, NAME, 0);

	for (mode_t mode = 0701; mode <= 0740; mode = mode == 0701 ? 0720 : mode + 020) {
		cr_assert_eq(fchmod(scratch.fd, mode), 0);
		expect_refused(&target, ERROR_REFUSED, "closed to all others");
	}
	cr_assert_eq(fchmod(scratch.fd, 0700), 0);
	must_write(&target, "box");
}

Test(audit, refuses_a_link_in_the_directory_s_place)
{
	SCRATCH(scratch);
	char path[256];
	struct audit_target target = target_at(&scratch, path);

	scratch_directory(&scratch, "real");
	cr_assert_eq(fchmodat(scratch.fd, "real", 0700, 0), 0);
	scratch_link(&scratch, "log", "real");
	snprintf(path, sizeof(path), "%s/log/" NAME, scratch.path);
	cr_expect_lt(write_event(&target, "box", NULL), 0);
	cr_expect_not(scratch_has(&scratch, "real/" NAME));
}

Test(audit, paths_that_are_none)
{
	static const char *const paths[] = { "audit.jsonl", "/tmp/", "", "../a" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		expect_refused(&(struct audit_target){ .path = paths[i], .max_bytes = AUDIT_BYTES_MIN, .keep = 1 },
			       ERROR_INVALID, "absolute path");
}

Test(audit, half_a_line_gives_way)
{
	TARGET(target);
	struct seen seen;

	must_write(&target, "whole");
	cr_assert_eq(write(openat(scratch.fd, NAME, O_WRONLY | O_APPEND), "{\"time\":\"20", 11), 11);
	cr_expect_eq(read_back(&target, &seen), 0, "half a line is not a broken one");
	cr_expect_eq(seen.n, 1);
	must_write(&target, "next");
	cr_expect_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 2);
	cr_expect_str_eq(seen.last_id, "next");
}

Test(audit, half_a_line_is_all_there_is)
{
	TARGET(target);
	struct seen seen;

	scratch_file(&scratch, NAME, "{\"time\":", 0600);
	must_write(&target, "next");
	cr_expect_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 1);
}

Test(audit, a_file_of_somebody_else_s_is_not_cut)
{
	TARGET(target);
	AUTO_FREE char *text = malloc(AUDIT_LINE_MAX + 2);

	memset(text, 'x', AUDIT_LINE_MAX + 1);
	text[AUDIT_LINE_MAX + 1] = '\0';
	scratch_file(&scratch, NAME, text, 0600);
	expect_refused(&target, ERROR_REFUSED, "ends in what brig has not written");
}

/* No room is what a limit on the file's size is, as far as write(2) is concerned: part of the line goes in, the rest does not. */
Test(audit, without_room_none_of_a_line_is_written)
{
	TARGET(target);
	struct rlimit limit;
	struct stat status;
	struct seen seen;

	must_write(&target, "first");
	cr_assert_eq(stat(target.path, &status), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = (rlim_t)status.st_size + 20;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_refused(&target, ERROR_SYSTEM, "write to the audit trail");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 1);
	cr_assert_eq(stat(target.path, &status), 0);
	must_write(&target, "second");
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 2);
}

Test(audit, is_rotated_and_the_oldest_goes)
{
	TARGET(target);
	struct seen seen;
	char id[32];

	target.max_bytes = 500;
	target.keep = 2;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "0-%u", i);
		must_write(&target, id);
	}
	cr_expect(scratch_has(&scratch, NAME ".1") && scratch_has(&scratch, NAME ".2"));
	cr_expect_not(scratch_has(&scratch, NAME ".3"));
	cr_expect_eq(scratch_mode(&scratch, NAME ".1"), S_IFREG | 0600);
	read_back(&target, &seen);
	cr_expect_not(seen.disordered);
	cr_expect_str_eq(seen.last_id, "0-39");
	cr_expect_gt(seen.n, 5, "the last two files and the current one");
	cr_expect_lt(seen.n, 40);
	for (unsigned i = 40 - seen.n; i < 40; i++)
		cr_expect_eq(seen.counts[0][i], 1, "line %u", i);
}

Test(audit, a_rotation_that_was_broken_off_loses_nothing)
{
	TARGET(target);
	struct seen seen;

	must_write(&target, "0-0");
	/* Killed between two of the renames: a number is free, and there is no current file. */
	cr_assert_eq(renameat(scratch.fd, NAME, scratch.fd, NAME ".2"), 0);
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 1);
	target.max_bytes = 1;
	must_write(&target, "0-1");
	must_write(&target, "0-2");
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 3);
	cr_expect_str_eq(seen.first_id, "0-0");
	cr_expect_str_eq(seen.last_id, "0-2");
}

Test(audit, what_can_t_be_rotated_grows)
{
	TARGET(target);
	struct seen seen;

	target.max_bytes = 1;
	target.keep = 1;
	must_write(&target, "0-0");
	scratch_directory(&scratch, NAME ".1");
	must_write(&target, "0-1");
	cr_assert_eq(unlinkat(scratch.fd, NAME ".1", AT_REMOVEDIR), 0);
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 2);
}

#define KEPT(target)                                \
	struct audit_kept kept = AUDIT_KEPT_INIT;   \
	struct audit_target target##_kept = target; \
	target##_kept.kept = &kept

Test(audit, what_is_kept_lets_others_write_in_between)
{
	struct seen seen;

	TARGET(target);
	KEPT(target);
	size_t before = scratch_count_fds();
	must_write(&target_kept, "a");
	cr_expect_eq(scratch_count_fds(), before + 2);
	must_write(&target, "b");
	must_write(&target_kept, "c");
	must_write(&target_kept, "d");
	audit_kept_done(&kept);
	audit_kept_done(&kept);
	cr_expect_eq(scratch_count_fds(), before);
	cr_expect_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 4);
	cr_expect_str_eq(seen.first_id, "a");
	cr_expect_str_eq(seen.last_id, "d");
	cr_expect_not(seen.disordered);
}

Test(audit, what_is_kept_is_another_file_than_the_trail_s_now)
{
	struct seen seen;

	TARGET(target);
	KEPT(target);
	must_write(&target_kept, "moved");
	cr_assert_eq(renameat(scratch.fd, NAME, scratch.fd, "elsewhere"), 0);
	must_write(&target_kept, "a");
	cr_assert_eq(renameat(scratch.fd, NAME, scratch.fd, NAME ".1"), 0);
	must_write(&target, "b");
	must_write(&target_kept, "c");
	audit_kept_done(&kept);
	cr_expect_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 3);
	cr_expect_str_eq(seen.first_id, "a");
	cr_expect_str_eq(seen.last_id, "c");
}

Test(audit, what_is_kept_is_checked_again)
{
	struct error err = { 0 };

	TARGET(target);
	KEPT(target);
	size_t before = scratch_count_fds();
	must_write(&target_kept, "a");
	cr_assert_eq(fchmodat(scratch.fd, NAME, 0640, 0), 0);
	cr_expect_lt(write_event(&target_kept, "b", &err), 0);
	cr_expect_not_null(strstr(err.message, "mode 0640"), "%s", err.message);
	cr_expect_eq(scratch_count_fds(), before);
	cr_assert_eq(unlinkat(scratch.fd, NAME, 0), 0);
	scratch_link(&scratch, NAME, "elsewhere");
	cr_expect_lt(write_event(&target_kept, "b", &err), 0);
	cr_expect_not_null(strstr(err.message, "symbolic link"), "%s", err.message);
	cr_expect_eq(faccessat(scratch.fd, "elsewhere", F_OK, 0), -1);
}

Test(audit, half_a_line_behind_what_is_kept_gives_way)
{
	struct seen seen;

	TARGET(target);
	KEPT(target);
	must_write(&target_kept, "a");
	cr_assert_eq(write(openat(scratch.fd, NAME, O_WRONLY | O_APPEND), "{\"time\":\"20", 11), 11);
	must_write(&target_kept, "b");
	audit_kept_done(&kept);
	cr_expect_eq(read_back(&target, &seen), 0);
	cr_expect_eq(seen.n, 2);
}

Test(audit, a_lock_that_is_held_is_not_waited_for_for_ever)
{
	TARGET(target);

	must_write(&target, "box");
	cr_assert_eq(flock(scratch.fd, LOCK_EX), 0);
	expect_refused(&target, ERROR_TIMEOUT, "two seconds");
	flock(scratch.fd, LOCK_UN);
	must_write(&target, "box");
}

static void write_with_policy(const struct audit_target *target, const char *source, const char *digest)
{
	const struct audit_record record = { .event = AUDIT_CREATE,
					     .id = "box",
					     .policy = { .name = "p", .digest = digest, .source = source } };
	struct error err = { 0 };

	cr_assert_eq(audit_write(target, &record, &err), 0, "%s", err.message);
}

Test(audit, a_change_of_policy_has_a_line_once)
{
	TARGET(target);
	char text[4096];
	struct seen seen;

	write_with_policy(&target, "default", "aa");
	write_with_policy(&target, "default", "aa");
	write_with_policy(&target, "/other", "cc");
	write_with_policy(&target, "default", "aa");
	write_with_policy(&target, "default", "bb");
	write_with_policy(&target, "default", "bb");
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 9, "six of create, and one for each first one and the change: %u", seen.n);
	scratch_text(&scratch, NAME, text, sizeof(text));
	cr_expect_not_null(strstr(text, "\"sha256\":\"bb\"},\"before\":\"aa\"}\n"), "%s", text);
	cr_expect_not(seen.disordered);
	write_event(&target, "box", NULL);
	read_back(&target, &seen);
	cr_expect_eq(seen.n, 10, "where no policy is named none is looked for");
}

#define WRITERS 8
#define LINES 100

static pid_t fork_writer(const struct audit_target *target, unsigned writer, int told_fd)
{
	pid_t pid = fork();
	char id[32];

	if (pid != 0)
		return pid;
	for (uint32_t i = 0; i < LINES; i++) {
		snprintf(id, sizeof(id), "%u-%u", writer, i);
		if (write_event(target, id, NULL) < 0)
			_exit(1);
		/* From here on it is known that the line is there. */
		if (told_fd >= 0 && write(told_fd, &i, sizeof(i)) != sizeof(i))
			_exit(2);
	}
	_exit(0);
}

Test(audit, writers_side_by_side_lose_and_tear_nothing)
{
	TARGET(target);
	AUTO_FREE struct seen *seen = malloc(sizeof(*seen));
	pid_t pids[WRITERS];
	int status;

	target.max_bytes = 2000; /* many rotations */
	target.keep = AUDIT_KEEP_MAX;
	for (unsigned i = 0; i < WRITERS; i++)
		pids[i] = fork_writer(&target, i, -1);
	for (unsigned i = 0; i < WRITERS; i++) {
		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "writer %u: %x", i, status);
	}
	cr_expect_eq(read_back(&target, seen), 0);
	cr_expect_eq(seen->n, WRITERS * LINES);
	cr_expect_not(seen->disordered, "the order of the lines is that of their times");
	for (unsigned i = 0; i < WRITERS; i++)
		for (unsigned j = 0; j < LINES; j++)
			cr_expect_eq(seen->counts[i][j], 1, "%u-%u: %u times", i, j, seen->counts[i][j]);
}

/* What a writer has been told is written stays, wherever it is killed. */
Test(audit, writers_that_are_killed_lose_nothing_that_was_told)
{
	TARGET(target);
	AUTO_FREE struct seen *seen = malloc(sizeof(*seen));
	unsigned told[64] = { 0 };

	target.max_bytes = 4000;
	target.keep = AUDIT_KEEP_MAX;
	for (unsigned i = 0; i < 40; i++) {
		int pipes[2];
		uint32_t number;
		pid_t pid;

		cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
		pid = fork_writer(&target, i, pipes[1]);
		close(pipes[1]);
		/* Somewhere in its course. */
		for (unsigned j = 0; j <= i && read(pipes[0], &number, sizeof(number)) == sizeof(number); j++)
			told[i] = number + 1;
		kill(pid, SIGKILL);
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		while (read(pipes[0], &number, sizeof(number)) == sizeof(number))
			told[i] = number + 1;
		close(pipes[0]);
	}
	must_write(&target, "end");
	cr_expect_eq(read_back(&target, seen), 0);
	cr_expect_str_eq(seen->last_id, "end");
	for (unsigned i = 0; i < 40; i++) {
		cr_expect_gt(told[i], 0);
		for (unsigned j = 0; j < LINES; j++)
			cr_expect(j < told[i] ? seen->counts[i][j] == 1 : seen->counts[i][j] <= (j == told[i]),
				  "%u-%u: %u times, %u were told", i, j, seen->counts[i][j], told[i]);
	}
}
