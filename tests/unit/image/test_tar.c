#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "image/tar.h"
#include "tests/unit/image/tar_fixture.h"

/* Bytes in memory, given out a few at a time. */
struct memory {
	const char *data;
	size_t length, offset, at_once;
};

static ssize_t memory_read(void *context, void *data, size_t size, struct error *err)
{
	struct memory *memory = context;
	size_t n = memory->length - memory->offset;

	(void)err;
	if (n > size)
		n = size;
	if (memory->at_once && n > memory->at_once)
		n = memory->at_once;
	if (n > 0)
		memcpy(data, memory->data + memory->offset, n);
	memory->offset += n;
	return (ssize_t)n;
}

struct opened {
	struct buffer archive;
	struct memory memory;
	struct tar *tar;
};

static void opened_done(struct opened *opened)
{
	tar_free(opened->tar);
	buffer_done(&opened->archive);
}
#define OPENED(name) __attribute__((cleanup(opened_done))) struct opened name = { .tar = NULL }

static void open_tar(struct opened *opened)
{
	struct tar_source source = { .read = memory_read, .context = &opened->memory };

	opened->memory.data = opened->archive.data;
	opened->memory.length = opened->archive.length;
	opened->tar = tar_new(&source);
	cr_assert_not_null(opened->tar);
}

static struct tar_entry next(struct opened *opened)
{
	struct tar_entry entry = { 0 };
	struct error err = { 0 };

	cr_assert_eq(tar_next(opened->tar, &entry, &err), 1, "%s", err.message);
	return entry;
}

static void expect_end(struct opened *opened)
{
	struct tar_entry entry = { .name = "untouched" };
	struct error err = { 0 };

	cr_expect_eq(tar_next(opened->tar, &entry, &err), 0, "%s", err.message);
	cr_expect_eq(tar_next(opened->tar, &entry, &err), 0, "the end stays the end");
	cr_expect_str_eq(entry.name, "untouched");
}

/* All entries up to the error that is expected. */
static void expect_refused(struct opened *opened, const char *reason)
{
	struct tar_entry entry = { 0 };
	struct error err = { 0 };
	char scrap[64];
	ssize_t n = 0;
	int rc;

	open_tar(opened);
	while ((rc = tar_next(opened->tar, &entry, &err)) == 1) {
		while ((n = tar_read(opened->tar, scrap, sizeof(scrap), &err)) > 0)
			;
		if (n < 0)
			break;
	}
	cr_assert(rc < 0 || n < 0, "expected \"%s\", got the end", reason);
	cr_expect_eq(err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(err.message, reason), "expected \"%s\", got \"%s\"", reason, err.message);
}

static void expect_content(struct opened *opened, const char *content)
{
	char data[4096];
	struct error err = { 0 };
	size_t done = 0;
	ssize_t n;

	while ((n = tar_read(opened->tar, data + done, sizeof(data) - done, &err)) > 0)
		done += (size_t)n;
	cr_assert_eq(n, 0, "%s", err.message);
	cr_expect_eq(done, strlen(content));
	cr_expect_eq(memcmp(data, content, done), 0);
}

Test(tar, reads_each_kind)
{
	OPENED(opened);
	struct tar_entry entry;

	tar_fixture_add(&opened.archive,
			&(struct tar_member){ .name = "etc/", .type = '5', .mode = 01755, .uid = 7, .gid = 8 });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "etc/file", .content = "hello", .mode = 04711 });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "etc/soft", .type = '2', .target = "../x" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "etc/hard", .type = '1', .target = "etc/file" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "pipe", .type = '6' });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "null", .type = '3' });
	tar_fixture_end(&opened.archive);
	opened.memory.at_once = 7;
	open_tar(&opened);
	entry = next(&opened);
	cr_expect_eq(entry.kind, TAR_DIRECTORY);
	cr_expect_str_eq(entry.name, "etc/");
	cr_expect_eq(entry.mode, 01755);
	cr_expect_eq(entry.uid, 7);
	cr_expect_eq(entry.gid, 8);
	cr_expect_eq(entry.mtime, 1000000000);
	entry = next(&opened);
	cr_expect_eq(entry.kind, TAR_FILE);
	cr_expect_eq(entry.size, 5);
	cr_expect_eq(entry.mode, 04711);
	expect_content(&opened, "hello");
	entry = next(&opened);
	cr_expect_eq(entry.kind, TAR_SYMLINK);
	cr_expect_str_eq(entry.target, "../x");
	entry = next(&opened);
	cr_expect_eq(entry.kind, TAR_HARD_LINK);
	cr_expect_str_eq(entry.target, "etc/file");
	cr_expect_eq(next(&opened).kind, TAR_FIFO);
	cr_expect_eq(next(&opened).kind, TAR_DEVICE);
	expect_end(&opened);
}

Test(tar, skips_content_that_nobody_reads)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a", .content = "0123456789" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "b", .content = "x" });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	next(&opened);
	cr_expect_str_eq(next(&opened).name, "b");
	expect_content(&opened, "x");
	expect_end(&opened);
}

Test(tar, an_end_without_zeros)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a", .content = "0123456789" });
	open_tar(&opened);
	next(&opened);
	expect_end(&opened);
}

Test(tar, an_empty_archive)
{
	OPENED(opened);

	open_tar(&opened);
	expect_end(&opened);
}

Test(tar, prefix_of_posix_alone)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "b", .prefix = "a" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "b", .prefix = "a", .magic = "ustar  " });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	cr_expect_str_eq(next(&opened).name, "a/b");
	cr_expect_str_eq(next(&opened).name, "b");
}

Test(tar, a_folder_of_old)
{
	OPENED(opened);
	struct tar_member member = { .name = "a/", .type = 'x' };

	/* The type is a NUL, which the fixture takes for a file's: so it is put in by hand. */
	tar_fixture_add(&opened.archive, &member);
	opened.archive.data[156] = '\0';
	{
		unsigned sum = 0;

		memset(opened.archive.data + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += (unsigned char)opened.archive.data[i];
		snprintf(opened.archive.data + 148, 8, "%06o", sum);
	}
	open_tar(&opened);
	cr_expect_eq(next(&opened).kind, TAR_DIRECTORY);
}

Test(tar, long_names_of_gnu)
{
	OPENED(opened);
	char name[301], target[TAR_NAME_MAX + 1];
	struct tar_entry entry;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	tar_fixture_add(&opened.archive,
			&(struct tar_member){
				.name = "././@LongLink", .type = 'K', .content = target, .length = sizeof(target) });
	tar_fixture_add(
		&opened.archive,
		&(struct tar_member){ .name = "././@LongLink", .type = 'L', .content = name, .length = sizeof(name) });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "nnn", .type = '2', .target = "ttt" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "short" });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	entry = next(&opened);
	cr_expect_str_eq(entry.name, name);
	cr_expect_str_eq(entry.target, target);
	cr_expect_str_eq(next(&opened).name, "short", "a long name is for one entry");
	expect_end(&opened);
}

Test(tar, pax_has_the_last_word)
{
	static const char *const records[] = { "path=from/pax", "linkpath=to/pax",  "uid=3000000", "gid=3000001",
					       "mtime=5.25",	"SCHILY.xattr.a=b", "comment=c",   NULL };
	OPENED(opened);
	struct tar_entry entry;

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "l", .type = 'L', .content = "from/gnu" });
	tar_fixture_pax(&opened.archive, 'x', records);
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "name", .type = '2', .target = "target" });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	entry = next(&opened);
	cr_expect_str_eq(entry.name, "from/pax");
	cr_expect_str_eq(entry.target, "to/pax");
	cr_expect_eq(entry.uid, 3000000);
	cr_expect_eq(entry.gid, 3000001);
	cr_expect_eq(entry.mtime, 5);
}

Test(tar, pax_gives_the_size)
{
	static const char *const records[] = { "size=3", NULL };
	OPENED(opened);

	tar_fixture_pax(&opened.archive, 'x', records);
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a", .content = "abc", .size = "00000000000" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "b" });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	cr_expect_eq(next(&opened).size, 3);
	expect_content(&opened, "abc");
	cr_expect_str_eq(next(&opened).name, "b");
	expect_end(&opened);
}

Test(tar, global_headers_with_comments)
{
	static const char *const records[] = { "comment=0123456789abcdef", NULL };
	OPENED(opened);

	tar_fixture_pax(&opened.archive, 'g', records);
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a" });
	open_tar(&opened);
	cr_expect_str_eq(next(&opened).name, "a");
}

Test(tar, numbers_of_gnu)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive,
			&(struct tar_member){ .name = "a", .content = "abc", .size = "\x80\0\0\0\0\0\0\0\0\0\0\x03" });
	tar_fixture_end(&opened.archive);
	open_tar(&opened);
	cr_expect_eq(next(&opened).size, 3);
	expect_content(&opened, "abc");
	expect_end(&opened);
}

struct bad_member {
	const char *reason;
	struct tar_member member;
};

Test(tar, refuses_bad_headers)
{
	static const struct bad_member list[] = {
		{ "checksum", { .name = "a", .damage = 1 } },
		{ "checksum", { .name = "a", .damage = -1 } },
		{ "no tar archive", { .name = "a", .magic = "\0\0\0\0\0\0\0" } },
		{ "size is no octal number", { .name = "a", .size = "00000000009" } },
		{ "size is no octal number", { .name = "a", .size = "-0000000001" } },
		{ "size is negative", { .name = "a", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" } },
		{ "size is too large", { .name = "a", .size = "\x80\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff" } },
		{ "size is too large", { .name = "a", .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff" } },
		{ "sparse", { .name = "a", .type = 'S' } },
		{ "type 0x56", { .name = "a", .type = 'V' } },
		{ "type 0x4d", { .name = "a", .type = 'M' } },
		{ "a name of 0 bytes", { .name = "" } },
		{ "link's target of 0 bytes", { .name = "a", .type = '2' } },
		{ "link's target of 0 bytes", { .name = "a", .type = '1' } },
		{ "has content", { .name = "a", .type = '5', .content = "x" } },
		{ "has content", { .name = "a", .type = '2', .target = "b", .content = "x" } },
		{ "has content", { .name = "a", .type = '3', .content = "x" } },
		{ "empty or has a NUL", { .name = "a", .type = 'L', .content = "a\0b", .length = 3 } },
		{ "empty or has a NUL", { .name = "a", .type = 'L', .content = "\0", .length = 1 } },
		{ "extended header of 0 bytes", { .name = "a", .type = 'L' } },
		{ "extended header of 0 bytes", { .name = "a", .type = 'x' } },
		{ "extended header of 8589934591 bytes", { .name = "a", .type = 'x', .size = "77777777777" } },
		{ "archive ends after an extended", { .name = "a", .type = 'L', .content = "b" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		OPENED(opened);

		tar_fixture_add(&opened.archive, &list[i].member);
		tar_fixture_end(&opened.archive);
		expect_refused(&opened, list[i].reason);
	}
}

Test(tar, refuses_bad_pax_records)
{
	static const struct {
		const char *reason, *text;
		size_t length;
	} list[] = {
		{ "record's length", "x", 1 },
		{ "record's length", "99 path=a\n", 10 },
		{ "record's length", "0 path=a\n", 9 },
		{ "record's length", "9 path=a\n9 path=", 16 },
		{ "record's length", "3 \n", 3 },
		{ "record's length", "99999999999999999999 path=a\n", 28 },
		{ "record's length", "9 path=ab", 9 },
		{ "without a key", "5 =a\n", 5 },
		{ "without a key", "7 path\n", 7 },
		{ "NUL inside", "12 path=a\0b\n", 12 },
		{ "size", "9 size=a\n", 9 },
		{ "size", "10 size=-1\n", 11 },
		{ "size", "27 size=9999999999999999999\n", 28 },
		{ "uid", "18 uid=4294967295\n", 18 },
		{ "mtime", "10 mtime=\n", 10 },
		{ "sparse", "22 GNU.sparse.major=1\n", 22 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		OPENED(opened);

		tar_fixture_add(&opened.archive,
				&(struct tar_member){
					.name = "x", .type = 'x', .content = list[i].text, .length = list[i].length });
		tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a" });
		expect_refused(&opened, list[i].reason);
	}
}

Test(tar, refuses_two_headers_of_one_kind)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "l", .type = 'L', .content = "a" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "l", .type = 'L', .content = "b" });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "c" });
	expect_refused(&opened, "two extended headers");
}

Test(tar, refuses_a_global_name)
{
	static const char *const records[] = { "path=/etc/passwd", NULL };
	OPENED(opened);

	tar_fixture_pax(&opened.archive, 'g', records);
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a" });
	expect_refused(&opened, "global");
}

Test(tar, refuses_names_that_are_too_long)
{
	OPENED(opened);
	char name[TAR_NAME_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "l", .type = 'L', .content = name });
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a" });
	expect_refused(&opened, "a name of 4096 bytes");
}

/* Cut at any byte it is an error, but between entries, where it is an end. */
Test(tar, refuses_archives_that_are_cut_off)
{
	struct buffer whole = { 0 };

	tar_fixture_add(&whole, &(struct tar_member){ .name = "l", .type = 'L', .content = "long" });
	tar_fixture_add(&whole, &(struct tar_member){ .name = "a", .content = "0123456789" });
	for (size_t length = 1; length < whole.length; length += 13) {
		OPENED(opened);

		buffer_append(&opened.archive, whole.data, length);
		expect_refused(&opened, length == 1024 ? "ends after" : "cut off");
	}
	buffer_done(&whole);
}

Test(tar, refuses_what_follows_the_end)
{
	OPENED(opened);

	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "a" });
	tar_fixture_end(&opened.archive);
	tar_fixture_add(&opened.archive, &(struct tar_member){ .name = "hidden" });
	expect_refused(&opened, "behind the archive's end");
}

Test(tar, refuses_endless_zeros)
{
	OPENED(opened);
	void *zeros = calloc(1, TAR_TRAILING_MAX + 2048);

	buffer_append(&opened.archive, zeros, TAR_TRAILING_MAX + 2048);
	free(zeros);
	expect_refused(&opened, "more zeros");
}
