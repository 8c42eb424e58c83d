/* Writes JSON text into a buffer: compact, or indented for people. The output is valid UTF-8 whatever comes in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_writer {
	struct buffer *buffer; /* errors are sticky there: look at buffer->failed once, at the end */
	unsigned indent;       /* columns a level; 0: compact */
	unsigned depth;
	bool needs_comma, after_key;
};

static inline struct json_writer json_writer_on(struct buffer *buffer, unsigned indent)
{
	return (struct json_writer){ .buffer = buffer, .indent = indent };
}

/* Commas, line ends and indentation come by themselves, out of what was written before. That each begin has its end, and that
 * within an object each value has its key, is for the caller to see to: nothing checks it. */
void json_write_object_begin(struct json_writer *writer);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer);
void json_write_array_end(struct json_writer *writer);
/* The name of the member that the next call writes. */
void json_write_key(struct json_writer *writer, const char *key);
/* text NULL: null. Bytes that aren't UTF-8 become U+FFFD. */
void json_write_string(struct json_writer *writer, const char *text);
void json_write_string_n(struct json_writer *writer, const char *text, size_t length);
void json_write_int(struct json_writer *writer, int64_t value);
void json_write_uint(struct json_writer *writer, uint64_t value);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
/* text is JSON already. */
void json_write_raw(struct json_writer *writer, const char *text);

/* A key with its value, where that is all there is to say. */
void json_write_member(struct json_writer *writer, const char *key, const char *text);
void json_write_member_int(struct json_writer *writer, const char *key, int64_t value);
void json_write_member_uint(struct json_writer *writer, const char *key, uint64_t value);
void json_write_member_bool(struct json_writer *writer, const char *key, bool value);
/* An array of n texts; or of those up to a NULL, where list NULL is none. */
void json_write_member_strings(struct json_writer *writer, const char *key, const char *const *list, size_t n);
void json_write_member_terminated(struct json_writer *writer, const char *key, const char *const *list);
/* text in quotes with all escapes, appended as it is: for a logger's single values. */
void json_write_quoted(struct buffer *buffer, const char *text, size_t length);
