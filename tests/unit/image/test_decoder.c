#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "image/decoder.h"
#include "tests/unit/image/layout_fixture.h"

#define BUFFER(name) __attribute__((cleanup(buffer_done_cleanup))) struct buffer name = { 0 }
#define MANY ((uint64_t)1 << 40)

static const enum document_layer kinds[] = { DOCUMENT_LAYER_TAR, DOCUMENT_LAYER_GZIP, DOCUMENT_LAYER_ZSTD };

/* Content that compresses, but not to nothing. */
static void fill(struct buffer *content, size_t length)
{
	uint32_t random = 1;

	for (size_t i = 0; i < length; i++) {
		char byte;

		random = random * 1103515245 + 12345;
		byte = (char)(random >> 20 & 0x0f);
		buffer_append(content, &byte, 1);
	}
}

/* Runs packed through a decoder; what came out is in *out. Returns decoder_finish's. */
static int decode(const struct buffer *packed, enum document_layer kind, uint64_t max, struct buffer *out,
		  struct error *err)
{
	SCRATCH(scratch);
	struct decoder decoder = { .fd = -EBADF, .pid = -1 };
	struct layout_blob blob = { .size = packed->length };
	char data[4096];
	ssize_t n;
	int rc;

	blob.fd = openat(scratch.fd, "blob", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(blob.fd, 0);
	cr_assert_eq(write(blob.fd, packed->data, packed->length), (ssize_t)packed->length);
	{
		struct layout_fixture fixture = { .scratch = scratch };
		char hex[65], text[80];

		scratch_directory(&scratch, "layout");
		scratch_directory(&scratch, "layout/blobs");
		scratch_directory(&scratch, "layout/blobs/sha256");
		layout_fixture_blob(&fixture, packed->data, packed->length, hex);
		buffer_done(&fixture.tar);
		snprintf(text, sizeof(text), "sha256:%s", hex);
		cr_assert_eq(digest_parse(text, &blob.digest, err), 0);
	}
	cr_assert_eq(decoder_start(&blob, kind, max, &decoder, err), 0, "%s", err->message);
	while ((n = read(decoder.fd, data, sizeof(data))) > 0)
		buffer_append(out, data, (size_t)n);
	rc = decoder_finish(&decoder, err);
	decoder_done(&decoder);
	close(blob.fd);
	return rc;
}

Test(decoder, unpacks)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		BUFFER(content);
		BUFFER(packed);
		BUFFER(out);
		struct error err = { 0 };

		fill(&content, 1500000);
		layout_fixture_pack(&content, kinds[i], &packed);
		cr_assert_eq(decode(&packed, kinds[i], content.length, &out, &err), 0, "%s", err.message);
		cr_assert_eq(out.length, content.length);
		cr_expect_eq(memcmp(out.data, content.data, out.length), 0);
	}
}

/* Members, or frames, that follow one another are one stream. */
Test(decoder, several_members)
{
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		BUFFER(content);
		BUFFER(once);
		BUFFER(packed);
		BUFFER(out);
		struct error err = { 0 };

		fill(&content, 1000);
		layout_fixture_pack(&content, kinds[i], &once);
		for (unsigned n = 0; n < 3; n++)
			buffer_append(&packed, once.data, once.length);
		cr_assert_eq(decode(&packed, kinds[i], MANY, &out, &err), 0, "%s", err.message);
		cr_expect_eq(out.length, 3000);
	}
}

static void expect_refused(const struct buffer *packed, enum document_layer kind, uint64_t max, const char *reason)
{
	BUFFER(out);
	struct error err = { 0 };

	cr_expect_lt(decode(packed, kind, max, &out, &err), 0, "expected \"%s\"", reason);
	cr_expect_eq(err.kind, ERROR_REFUSED);
	cr_expect_not_null(strstr(err.message, reason), "expected \"%s\", got \"%s\"", reason, err.message);
	cr_expect_leq(out.length, max);
}

Test(decoder, refuses_what_is_cut_off)
{
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		BUFFER(content);
		BUFFER(packed);

		fill(&content, 10000);
		layout_fixture_pack(&content, kinds[i], &packed);
		packed.length -= 10;
		expect_refused(&packed, kinds[i], MANY, "cut off");
		packed.length = 0;
		expect_refused(&packed, kinds[i], MANY, "cut off");
	}
}

Test(decoder, refuses_what_is_damaged)
{
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		BUFFER(content);
		BUFFER(packed);

		fill(&content, 10000);
		layout_fixture_pack(&content, kinds[i], &packed);
		packed.data[0] ^= 1;
		expect_refused(&packed, kinds[i], MANY, "damaged");
		packed.data[0] ^= 1;
		buffer_append_text(&packed, "and then something else");
		expect_refused(&packed, kinds[i], MANY, "damaged");
	}
}

Test(decoder, refuses_more_than_allowed)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		BUFFER(content);
		BUFFER(packed);

		fill(&content, 10000);
		layout_fixture_pack(&content, kinds[i], &packed);
		expect_refused(&packed, kinds[i], 9999, "unpacks to more");
	}
}

Test(decoder, refuses_bombs)
{
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		struct buffer zeros = { .limit = 112 << 20 };
		BUFFER(packed);

		cr_assert_eq(buffer_reserve(&zeros, 112 << 20), 0);
		zeros.length = 112 << 20;
		memset(zeros.data, 0, zeros.length);
		layout_fixture_pack(&zeros, kinds[i], &packed);
		buffer_done(&zeros);
		cr_assert_lt(packed.length, 150000);
		expect_refused(&packed, kinds[i], MANY, "a bomb");
	}
}

/* It ends with us, though nobody reads what it writes. */
Test(decoder, ends_at_once)
{
	SCRATCH(scratch);
	struct decoder decoder = { .fd = -EBADF, .pid = -1 };
	struct layout_blob blob = { .size = 64 << 20 };
	struct error err = { 0 };
	pid_t pid;

	blob.fd = openat(scratch.fd, "blob", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(blob.fd, (off_t)blob.size), 0);
	cr_assert_eq(decoder_start(&blob, DOCUMENT_LAYER_TAR, MANY, &decoder, &err), 0);
	pid = decoder.pid;
	decoder_done(&decoder);
	cr_expect_eq(waitpid(pid, NULL, 0), -1, "it was waited for");
	cr_expect_eq(errno, ECHILD);
	decoder_done(&decoder);
	close(blob.fd);
}

/* The strict mode holds: /proc tells (proc(5), Seccomp: 1). */
Test(decoder, is_confined)
{
	SCRATCH(scratch);
	struct decoder decoder = { .fd = -EBADF, .pid = -1 };
	struct layout_blob blob = { .size = 64 << 20 };
	struct error err = { 0 };
	char path[64], text[4096];
	ssize_t n;
	int fd;

	blob.fd = openat(scratch.fd, "blob", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(ftruncate(blob.fd, (off_t)blob.size), 0);
	cr_assert_eq(decoder_start(&blob, DOCUMENT_LAYER_TAR, MANY, &decoder, &err), 0);
	cr_assert_eq(read(decoder.fd, text, 1), 1, "it is at work");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)decoder.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	cr_expect_not_null(strstr(text, "\nSeccomp:\t1\n"), "%s", text);
	cr_expect_not_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	close(fd);
	decoder_done(&decoder);
	close(blob.fd);
}
