#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Most arenas stay small: their first block is one of several in a few pages. */
#define FIRST_BLOCK_SIZE ((size_t)4 * 1024 - 64)
#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT (_Alignof(max_align_t))

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks;
	size_t limit, total;
};

struct arena *arena_new(size_t limit)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->limit = limit;
	return arena;
}

void arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (!arena)
		return;
	for (block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

/* Only the newest block is looked at: what older ones have left stays unused, and an allocation never takes a walk. */
static struct block *block_for(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	size_t least = block ? BLOCK_SIZE : FIRST_BLOCK_SIZE, wanted = size > least ? size : least;

	if (block && block->size - block->used >= size)
		return block;
	block = malloc(sizeof(*block) + wanted);
	if (!block)
		return NULL;
	block->used = 0;
	block->size = wanted;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *block;
	void *result;

	if (size > arena->limit || size > SIZE_MAX - sizeof(*block) - ALIGNMENT)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size > arena->limit - arena->total)
		return NULL;
	block = block_for(arena, size);
	if (!block)
		return NULL;
	/* Cleared piece by piece: pages of a block that are never used are never touched. */
	result = memset(block->bytes + block->used, 0, size);
	block->used += size;
	arena->total += size;
	return result;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return arena_alloc(arena, bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = length == SIZE_MAX ? NULL : arena_alloc(arena, length + 1);

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL, most[256];
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(most, sizeof(most), format, args);
	if (length >= 0)
		text = arena_alloc(arena, (size_t)length + 1);
	if (text && (size_t)length < sizeof(most))
		memcpy(text, most, (size_t)length);
	else if (text)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
