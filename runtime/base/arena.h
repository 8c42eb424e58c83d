/* Memory that is released all at once: a decoded document and the plan made of it each own one. Not thread-safe. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct arena;

/* limit: the most bytes that it may hand out in all (a cap on what a hostile document can make us allocate). NULL: no memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free);

/* Zeroed and aligned for any type; NULL where memory or the limit is used up. A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* As arena_alloc(n * size), with the multiplication checked. */
void *arena_array(struct arena *arena, size_t n, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array_of(arena, n, type) ((type *)arena_array((arena), (n), sizeof(type)))
