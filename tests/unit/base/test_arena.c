#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/arena.h"

static bool is_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	char *pieces[200];

	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(arena, 1 + i * 7);
		cr_assert_not_null(pieces[i]);
		cr_assert_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		cr_assert(is_zero(pieces[i], 1 + i * 7));
		memset(pieces[i], (int)i + 1, 1 + i * 7);
	}
	for (size_t i = 0; i < 200; i++) {
		cr_assert_eq((unsigned char)pieces[i][0], (unsigned char)(i + 1));
		cr_assert_eq((unsigned char)pieces[i][i * 7], (unsigned char)(i + 1), "piece %zu was written over", i);
	}
}

Test(arena, limit_holds_over_all_pieces)
{
	AUTO(arena_free) struct arena *arena = arena_new(1000);
	size_t got = 0;

	cr_assert_null(arena_alloc(arena, 1001));
	while (arena_alloc(arena, 10))
		got += 10;
	cr_assert_leq(got, 1000);
	cr_assert_geq(got, 500, "alignment must not eat most of it");
	cr_assert_null(arena_alloc(arena, 100));
}

Test(arena, whole_limit_in_one_piece)
{
	AUTO(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
	char *piece = arena_alloc(arena, (size_t)1 << 20);

	cr_assert_not_null(piece);
	memset(piece, 1, (size_t)1 << 20);
	cr_assert_null(arena_alloc(arena, 1));
}

Test(arena, absurd_sizes_find_no_memory)
{
	AUTO(arena_free) struct arena *arena = arena_new(SIZE_MAX);

	cr_assert_null(arena_alloc(arena, SIZE_MAX));
	cr_assert_null(arena_alloc(arena, SIZE_MAX - 3), "rounded up it would be 0 bytes");
	cr_assert_null(arena_array(arena, SIZE_MAX / 2, 3), "the product wraps around");
	cr_assert_null(arena_array(arena, (size_t)1 << 32, ((size_t)1 << 32) + 1));
	cr_assert_null(arena_strndup(arena, "x", SIZE_MAX));
	cr_assert_not_null(arena_alloc(arena, 16), "a refusal must not spoil what follows");
}

Test(arena, nothing_has_an_address_too)
{
	AUTO(arena_free) struct arena *arena = arena_new(64);

	cr_assert_not_null(arena_alloc(arena, 0));
	cr_assert_not_null(arena_array(arena, 0, 1000));
	cr_assert_str_eq(arena_strdup(arena, ""), "");
}

Test(arena, copies_text)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	char text[] = "abc";
	char *copy = arena_strdup(arena, text), *part = arena_strndup(arena, text, 2);

	text[0] = 'X';
	cr_assert_str_eq(copy, "abc");
	cr_assert_str_eq(part, "ab");
	cr_assert_str_eq(arena_printf(arena, "%s-%04d", "n", 12), "n-0012");
	cr_assert_str_eq(arena_printf(arena, "%s", ""), "");
}

Test(arena, formats_text_of_any_length)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);

	for (int length = 250; length < 260; length++) {
		const char *text = arena_printf(arena, "%*d", length, 7);

		cr_assert_eq(strlen(text), (size_t)length);
		cr_assert_eq(text[length - 1], '7');
	}
}

Test(arena, text_beyond_the_limit_is_refused)
{
	AUTO(arena_free) struct arena *arena = arena_new(16);

	cr_assert_null(arena_printf(arena, "%100d", 1));
	cr_assert_null(arena_strdup(arena, "more than sixteen bytes"));
	cr_assert_not_null(arena_strdup(arena, "fifteen bytes!!"));
}

Test(arena, nothing_to_free)
{
	arena_free(NULL);
	arena_free(arena_new(0));
}
