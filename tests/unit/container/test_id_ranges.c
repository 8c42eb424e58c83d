#include "container/creation/id_ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define N_PROCESSES 8
#define N_EACH 12

/* A directory of ranges, and one of state directories. */
struct place {
	char root[64], ids[128];
	struct id_ranges ranges;
	struct error err;
};

static void begin(struct place *place)
{
	snprintf(place->root, sizeof(place->root), "/tmp/brig-test-ids-XXXXXX");
	cr_assert_not_null(mkdtemp(place->root));
	snprintf(place->ids, sizeof(place->ids), "%s/ids", place->root);
	place->ranges = (struct id_ranges){ .directory = place->ids,
					    .ids = { .first = 1879048192, .count = 4 * 65536, .size = 65536 } };
	place->err = (struct error){ 0 };
}

static void end(struct place *place)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", place->root);
	cr_assert_eq(system(command), 0);
}

/* A container's state directory: in the caller's memory. */
static const char *holder(const struct place *place, int number, char path[128])
{
	snprintf(path, 128, "%s/c%d", place->root, number);
	mkdir(path, 0700);
	return path;
}

static uint32_t take(struct place *place, int number)
{
	char path[128];
	uint32_t first = 0;

	cr_assert_eq(id_ranges_take(&place->ranges, holder(place, number, path), &first, &place->err), 0, "%s",
		     place->err.message);
	return first;
}

Test(id_ranges, each_holder_has_one_of_its_own_until_there_are_no_more)
{
	struct place place;
	char path[128];
	uint32_t firsts[4], more = 7;

	begin(&place);
	for (int i = 0; i < 4; i++) {
		firsts[i] = take(&place, i);
		cr_expect_eq((firsts[i] - 1879048192) % 65536, 0);
		cr_expect_lt(firsts[i] - 1879048192, 4 * 65536u);
		for (int k = 0; k < i; k++)
			cr_expect_neq(firsts[i], firsts[k]);
	}
	cr_expect_eq(id_ranges_take(&place.ranges, holder(&place, 4, path), &more, &place.err), -ENOSPC);
	cr_expect_not_null(strstr(place.err.message, "all 4 ranges of 65536 ids"), "%s", place.err.message);
	cr_expect_eq(more, 7, "a failure must not touch its output");
	cr_assert_eq(id_ranges_release(&place.ranges, firsts[2], holder(&place, 2, path), &place.err), 0);
	cr_expect_eq(take(&place, 4), firsts[2]);
	end(&place);
}

/* A file as /etc/subuid, in the place's root: path is the caller's memory. */
static const char *give(const struct place *place, const char *name, const char *text, size_t length, char path[128])
{
	FILE *file;

	snprintf(path, 128, "%s/%s", place->root, name);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(text, 1, length, file), length);
	cr_assert_eq(fclose(file), 0);
	return path;
}

static int take_beside(struct place *place, const char *text, size_t length, uint32_t *first)
{
	char path[128], file[128];
	const char *const files[] = { give(place, "subuid", text, length, file), NULL };
	int rc;

	place->ranges.given_away = files;
	rc = id_ranges_take(&place->ranges, holder(place, 1, path), first, &place->err);
	place->ranges.given_away = NULL;
	return rc;
}

/* All of the four. */
#define ALL "users:1879048192:262144"

static void expect_given(struct place *place, const char *text)
{
	uint32_t first = 7;

	cr_expect_eq(take_beside(place, text, strlen(text), &first), -ENOSPC, "%s", text);
	cr_expect_eq(first, 7, "a failure must not touch its output");
	cr_expect_not_null(strstr(place->err.message, "4 of them by users"), "%s", place->err.message);
}

static void expect_not_given(struct place *place, const char *text)
{
	uint32_t first = 0;

	cr_expect_eq(take_beside(place, text, strlen(text), &first), 0, "%s: %s", text, place->err.message);
	cr_expect_eq((first - 1879048192) % 65536, 0);
}

Test(id_ranges, what_is_given_to_users_is_nobodys_here)
{
	struct place place;
	char subuid[128], subgid[128], missing[128], path[128];
	const char *files[4];
	uint32_t guess, first = 0;

	begin(&place);
	/* The one that it would have, and one more by the other file: parts of them count for all. */
	guess = id_ranges_guess(&place.ranges, holder(&place, 1, path));
	snprintf(missing, sizeof(missing), "%s/missing", place.root);
	files[0] = missing;
	files[1] = subuid;
	files[2] = subgid;
	files[3] = NULL;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t other = 1879048192 + i * 65536;
		char text[128];

		snprintf(text, sizeof(text), "me:100000:65536\nyou:%u:1\n", guess + 65535);
		give(&place, "subuid", text, strlen(text), subuid);
		snprintf(text, sizeof(text), "you:%u:2", other - 1);
		give(&place, "subgid", text, strlen(text), subgid);
		place.ranges.given_away = files;
		cr_assert_eq(id_ranges_take(&place.ranges, path, &first, &place.err), 0, "%s", place.err.message);
		cr_expect_neq(first, guess);
		cr_expect_neq(first, other);
		/* The id before is of the unit before. */
		cr_expect(i == 0 || first != other - 65536);
	}
	end(&place);
}

Test(id_ranges, where_all_is_given_to_users_the_message_says_to_whom)
{
	struct place place;

	begin(&place);
	expect_given(&place, ALL);
	cr_expect_not_null(strstr(place.err.message, "users:1879048192:262144"), "%s", place.err.message);
	cr_expect_not_null(strstr(place.err.message, "user_namespaces"), "%s", place.err.message);
	end(&place);
}

Test(id_ranges, lines_are_read_as_newuidmap_reads_them_or_for_nothing)
{
	struct place place;

	begin(&place);
	expect_given(&place, "a:1:1\n" ALL "\nb:2:2\n");
	expect_given(&place, "\n\nno line\n" ALL);
	expect_given(&place, "users:0x70000000:0x40000\n");
	expect_given(&place, "users:65536:4294967295");
	expect_given(&place, "users:65536:99999999999999999999999999");
	expect_given(&place, ":1879048192:262144\r\n");
	expect_given(&place, "half:1879048192:131072\nhalf:1879179264:131072");
	expect_not_given(&place, "");
	expect_not_given(&place, "\n");
	expect_not_given(&place, "users");
	expect_not_given(&place, "users:1879048192");
	expect_not_given(&place, "users:1879048192:");
	expect_not_given(&place, "users:1879048192:0");
	expect_not_given(&place, "users:1879048192 :262144");
	expect_not_given(&place, "users:-1879048192:262144");
	expect_not_given(&place, "users:18446744073709551615:2");
	expect_not_given(&place, "users:1879310336:65536");
	expect_not_given(&place, "users:1878982656:65536");
	end(&place);
}

Test(id_ranges, a_line_behind_a_zero_byte_and_a_very_long_one_count)
{
	static char text[70000];
	struct place place;
	uint32_t first;

	begin(&place);
	cr_expect_eq(take_beside(&place, "a\0b\n" ALL, sizeof("a\0b\n" ALL) - 1, &first), -ENOSPC);
	memset(text, 'x', sizeof(text));
	snprintf(text + sizeof(text) - 64, 64, "%s", ":1879048192:262144\n");
	cr_expect_eq(take_beside(&place, text, strlen(text), &first), -ENOSPC);
	end(&place);
}

Test(id_ranges, a_file_that_cant_be_read_or_has_no_end_is_no_empty_one)
{
	static const char *const strange[] = { "/tmp", "/dev/zero" };
	struct place place;
	char path[128];

	begin(&place);
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		const char *const files[] = { strange[i], NULL };

		place.ranges.given_away = files;
		cr_expect_lt(id_ranges_take(&place.ranges, holder(&place, 1, path), &(uint32_t){ 0 }, &place.err), 0);
		cr_expect_not_null(strstr(place.err.message, strange[i]), "%s", place.err.message);
	}
	end(&place);
}

Test(id_ranges, how_many_are_left)
{
	struct place place;
	static const char text[] = "a:1:1\nme\033:1879048193:1\nyou:1879244799:1\n";
	char file[128];
	const char *const files[] = { file, NULL };
	struct subordinate_ids given;

	begin(&place);
	cr_assert_eq(subordinate_ids_read(NULL, &place.ranges.ids, &given, &place.err), 0);
	cr_expect_eq(id_ranges_left(&place.ranges, &given), 4);
	cr_expect_str_eq(given.line, "");
	give(&place, "subuid", text, strlen(text), file);
	cr_assert_eq(subordinate_ids_read(files, &place.ranges.ids, &given, &place.err), 0);
	cr_expect_eq(id_ranges_left(&place.ranges, &given), 2);
	cr_expect_not_null(strstr(given.line, ": me"), "%s", given.line);
	cr_expect_null(strchr(given.line, '\033'));
	end(&place);
}

/* A sandbox is refused for what its request says, and not for a file of the host's. */
Test(id_ranges, a_file_of_users_that_is_too_large_is_the_hosts_fault)
{
	const size_t size = (size_t)SUBORDINATE_IDS_FILE_MAX + 1;
	AUTO_FREE char *text = malloc(size);
	struct place place;
	uint32_t first = 7;

	begin(&place);
	cr_assert_not_null(text);
	memset(text, '\n', size);
	cr_expect_eq(take_beside(&place, text, size, &first), -EFBIG);
	cr_expect_eq(place.err.kind, ERROR_SYSTEM, "%s", place.err.message);
	cr_expect_eq(first, 7);
	end(&place);
}

Test(id_ranges, the_same_holder_is_given_the_same_range_again)
{
	struct place place;
	char path[128];
	uint32_t first;

	begin(&place);
	first = take(&place, 1);
	cr_expect_eq(first, id_ranges_guess(&place.ranges, holder(&place, 1, path)));
	cr_assert_eq(id_ranges_release(&place.ranges, first, path, &place.err), 0);
	cr_expect_eq(take(&place, 1), first);
	/* What it has from an earlier life counts for nothing: nobody knows of it any more. */
	cr_expect_eq(take(&place, 1), first);
	end(&place);
}

Test(id_ranges, a_holder_that_is_gone_is_found)
{
	struct place place;
	char path[128];

	begin(&place);
	for (int i = 0; i < 4; i++)
		take(&place, i);
	cr_assert_eq(rmdir(holder(&place, 3, path)), 0);
	take(&place, 5);
	cr_expect_lt(id_ranges_take(&place.ranges, holder(&place, 6, path), &(uint32_t){ 0 }, &place.err), 0);
	end(&place);
}

Test(id_ranges, a_range_that_is_shared_is_taken_until_the_last_has_gone)
{
	struct place place;
	char first_path[128], second_path[128];
	uint32_t first;

	begin(&place);
	place.ranges.ids.count = 65536;
	first = take(&place, 1);
	cr_assert_eq(id_ranges_share(&place.ranges, first, holder(&place, 2, second_path), &place.err), 0);
	cr_assert_eq(id_ranges_share(&place.ranges, first, second_path, &place.err), 0);
	cr_assert_eq(id_ranges_release(&place.ranges, first, holder(&place, 1, first_path), &place.err), 0);
	cr_expect_eq(id_ranges_take(&place.ranges, first_path, &(uint32_t){ 0 }, &place.err), -ENOSPC);
	cr_assert_eq(id_ranges_release_all(place.ids, second_path, &place.err), 0);
	cr_expect_eq(take(&place, 3), first);
	end(&place);
}

Test(id_ranges, ranges_of_other_sizes_never_overlap)
{
	struct place place;
	uint32_t large, small;

	begin(&place);
	small = take(&place, 1);
	/* The policy has changed, and containers of the old one are there still. */
	place.ranges.ids.size = 2 * 65536;
	large = take(&place, 2);
	cr_expect(small + 65536 <= large || large + 2 * 65536 <= small, "%u and %u", small, large);
	cr_expect_lt(id_ranges_take(&place.ranges, "/tmp", &(uint32_t){ 0 }, &place.err), 0);
	place.ranges.ids.size = 1000;
	small = take(&place, 3);
	cr_expect(small + 1000 <= large || large + 2 * 65536 <= small);
	end(&place);
}

Test(id_ranges, a_directory_that_others_can_write_to_is_refused)
{
	struct place place;
	char path[128];

	begin(&place);
	take(&place, 1);
	cr_assert_eq(chmod(place.ids, 0777), 0);
	cr_expect_eq(id_ranges_take(&place.ranges, holder(&place, 2, path), &(uint32_t){ 0 }, &place.err), -EPERM);
	cr_expect_eq(place.err.kind, ERROR_REFUSED);
	end(&place);
}

Test(id_ranges, nothing_to_release_is_no_error)
{
	struct place place;

	begin(&place);
	cr_expect_eq(id_ranges_release(&place.ranges, 1879048192, "/nobody", &place.err), 0);
	cr_expect_eq(id_ranges_release_all(place.ids, "/nobody", &place.err), 0);
	end(&place);
}

/* Each of them takes and releases; what it keeps is told by its links. */
static void worker(struct place *place, int number)
{
	char path[128];

	for (int i = 0; i < N_EACH; i++) {
		uint32_t first = take(place, number * N_EACH + i);

		if (i % 3 == 0 &&
		    id_ranges_release(&place->ranges, first, holder(place, number * N_EACH + i, path), &place->err) < 0)
			_exit(1);
	}
	_exit(0);
}

Test(id_ranges, many_at_once_never_share)
{
	char command[512];
	struct place place;
	int status;

	begin(&place);
	place.ranges.ids.count = 80 * 65536;
	for (int i = 0; i < N_PROCESSES; i++) {
		if (fork() == 0)
			worker(&place, i);
	}
	for (int i = 0; i < N_PROCESSES; i++) {
		cr_assert_gt(wait(&status), 0);
		cr_expect_eq(status, 0);
	}
	/* 64 are kept: as many units, with one link each. */
	snprintf(command, sizeof(command), "test $(ls %s | wc -l) = 64 && test $(find %s -type l | wc -l) = 64",
		 place.ids, place.ids);
	cr_expect_eq(system(command), 0);
	end(&place);
}
