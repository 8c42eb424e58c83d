/* Damaged documents: truncated at each byte, and mutated at random (the same way in each run). None may crash, leak or be
 * taken for something that it isn't; run with the sanitizers this says the most. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "spec/spec.h"

#define ROUNDS 4000

static void read_sample(struct buffer *text)
{
	AUTO_CLOSE int fd = open(TEST_SOURCE_DIR "/tests/unit/spec/data/complete/config.json", O_RDONLY | O_CLOEXEC);
	struct error err = { 0 };

	cr_assert_geq(fd, 0);
	cr_assert_eq(fd_read_all(fd, SPEC_BYTES_MAX, text, "the sample", &err), 0, "%s", err.message);
}

/* An allocation of the exact size, so that a sanitizer sees a read of one byte too many. Returns what spec_parse did. */
static int parse_exactly(const char *text, size_t length)
{
	AUTO_FREE char *copy = malloc(length ?: 1);
	AUTO(spec_free) struct spec *spec = NULL;
	struct error err = { 0 };
	int r;

	cr_assert_not_null(copy);
	memcpy(copy, text, length);
	r = spec_parse(copy, length, &spec, &err);
	if (r < 0) {
		cr_assert_null(spec);
		cr_assert_neq(err.kind, ERROR_NONE);
		cr_assert_gt(strlen(err.message), 0);
	} else {
		cr_assert_not_null(spec);
	}
	return r;
}

Test(spec_hostile, truncated_at_each_byte)
{
	struct buffer text = { 0 };
	size_t end;

	read_sample(&text);
	end = text.length;
	while (end > 0 && text.data[end - 1] != '}')
		end--;
	for (size_t length = 0; length < end; length++)
		cr_assert_eq(parse_exactly(text.data, length), -EINVAL, "%zu bytes were taken", length);
	cr_expect_eq(parse_exactly(text.data, end), 0);
	buffer_done(&text);
}

/* xorshift64: the same sequence everywhere. */
static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void mutate(char *text, size_t *length, uint64_t *state)
{
	static const char *const tokens[] = { "null",	 "{}",	    "[]",  "-1", "\"\"", "1e9", "18446744073709551616",
					      "\\u0000", "\\ud800", "\"",  "\\", "}",	 "]",	",",
					      ":",	 "\x80",    "true" };
	size_t at = next(state) % *length, n = next(state) % 16;
	const char *token = tokens[next(state) % ARRAY_SIZE(tokens)];

	if (n > *length - at)
		n = *length - at;
	switch (next(state) % 4) {
	case 0: /* one bit */
		text[at] = (char)(text[at] ^ 1 << next(state) % 8);
		break;
	case 1: /* a piece is lost */
		memmove(text + at, text + at + n, *length - at - n);
		*length -= n;
		break;
	case 2: /* a token over what was there */
		n = strlen(token) < *length - at ? strlen(token) : *length - at;
		memcpy(text + at, token, n);
		break;
	default: /* a piece of elsewhere */
		memmove(text + at, text + next(state) % (*length - n + 1), n);
		break;
	}
}

Test(spec_hostile, mutated)
{
	AUTO_FREE char *copy = NULL;
	struct buffer text = { 0 };
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	size_t length;
	int taken = 0;

	read_sample(&text);
	copy = malloc(text.length);
	cr_assert_not_null(copy);
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(copy, text.data, text.length);
		length = text.length;
		for (uint64_t n = next(&state) % 4 + 1; n > 0 && length > 16; n--)
			mutate(copy, &length, &state);
		taken += parse_exactly(copy, length) == 0;
	}
	cr_expect_gt(taken, 0, "every mutation was refused: it does not get far");
	cr_expect_lt(taken, ROUNDS, "no mutation was refused");
	buffer_done(&text);
}

Test(spec_hostile, very_many_mounts)
{
	struct buffer text = { 0 };

	buffer_append_text(&text,
			   "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"mounts\":[{\"destination\":\"/\"}");
	for (int i = 0; i < 70000; i++)
		buffer_append_text(&text, ",{\"destination\":\"/\"}");
	buffer_append_text(&text, "]}");
	cr_expect_eq(parse_exactly(text.data, text.length), -EINVAL);
	buffer_done(&text);
}
