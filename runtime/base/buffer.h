/* A growing run of bytes with a cap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct buffer {
	char *data; /* NUL-terminated whenever it is not NULL; the NUL is not counted */
	size_t length, capacity;
	size_t limit; /* 0: BUFFER_LIMIT_DEFAULT */
	int failed;   /* sticky: a negative errno after the first append that did not fit or found no memory */
};

#define BUFFER_LIMIT_DEFAULT ((size_t)64 * 1024 * 1024)

/* Frees the bytes and sets all to 0: a failure is forgotten, and a limit of the caller's too. */
void buffer_done(struct buffer *buffer);
static inline void buffer_done_cleanup(struct buffer *buffer)
{
	buffer_done(buffer);
}

/* Appends are checked once, at the end, by buffer->failed: a writer of many small pieces stays readable. */
void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What somebody else wrote, in a line for people: control characters as \n, \t and \x1b, so that it neither forges a second line nor
 * steers the reader's terminal; the same of what shows it in another order (utf8_misleading). quoted: " and \ get a \ too. */
void buffer_append_visible(struct buffer *buffer, const char *text, bool quoted);
/* The label as it is, and what somebody else wrote after it as visible text. */
void buffer_append_labelled(struct buffer *buffer, const char *label, const char *text);
/* The text as an owned string (never NULL where failed is 0); the buffer is empty afterwards. */
char *buffer_steal(struct buffer *buffer);
/* Makes room for length more bytes; returns 0 or sets and returns failed. */
int buffer_reserve(struct buffer *buffer, size_t length);
