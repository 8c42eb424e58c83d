#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

/* What comes between the value before and the one that follows. */
static void separate(struct json_writer *writer)
{
	if (writer->after_key) {
		writer->after_key = false;
		return;
	}
	if (writer->needs_comma)
		buffer_append(writer->buffer, ",", 1);
	if (writer->indent && writer->depth)
		buffer_printf(writer->buffer, "\n%*s", (int)(writer->indent * writer->depth), "");
}

static void begin(struct json_writer *writer, const char *bracket)
{
	separate(writer);
	buffer_append(writer->buffer, bracket, 1);
	writer->depth++;
	writer->needs_comma = false;
}

static void end(struct json_writer *writer, const char *bracket)
{
	writer->depth--;
	/* An empty object stays on one line. */
	if (writer->needs_comma && writer->indent)
		buffer_printf(writer->buffer, "\n%*s", (int)(writer->indent * writer->depth), "");
	buffer_append(writer->buffer, bracket, 1);
	writer->needs_comma = true;
}

static void escape(struct buffer *buffer, int code)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *letter = letters; *letter; letter += 2) {
		if (letter[0] == code) {
			buffer_printf(buffer, "\\%c", letter[1]);
			return;
		}
	}
	buffer_printf(buffer, "\\u%04x", (unsigned)code);
}

/* The number of a character of size bytes that JSON wants escaped, or that is a control character by which a terminal can be steered:
 * DEL and U+0080 to U+009F as well, and what makes text read as other than it is. Of any other, and of what is no character (size 0), -1. */
static int code_to_escape(const char *text, size_t size)
{
	unsigned char first = (unsigned char)text[0], second;

	if (size == 1)
		return first < 0x20 || first == '"' || first == '\\' || first == 0x7f ? first : -1;
	if (size != 2 || first != 0xc2)
		return (int)utf8_misleading(text, size) ?: -1;
	second = (unsigned char)text[1];
	return second < 0xa0 ? second : -1;
}

void json_write_quoted(struct buffer *buffer, const char *text, size_t length)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t plain = 0, i = 0, size;
	int code;

	buffer_append(buffer, "\"", 1);
	while (i < length) {
		size = utf8_character(text + i, length - i);
		code = code_to_escape(text + i, size);
		if (size > 0 && code < 0) {
			i += size;
			continue;
		}
		buffer_append(buffer, text + plain, i - plain);
		if (size == 0)
			buffer_append(buffer, replacement, sizeof(replacement) - 1);
		else
			escape(buffer, code);
		i += size ?: 1;
		plain = i;
	}
	buffer_append(buffer, text + plain, i - plain);
	buffer_append(buffer, "\"", 1);
}

void json_write_object_begin(struct json_writer *writer)
{
	begin(writer, "{");
}

void json_write_object_end(struct json_writer *writer)
{
	end(writer, "}");
}

void json_write_array_begin(struct json_writer *writer)
{
	begin(writer, "[");
}

void json_write_array_end(struct json_writer *writer)
{
	end(writer, "]");
}

void json_write_key(struct json_writer *writer, const char *key)
{
	separate(writer);
	json_write_quoted(writer->buffer, key, strlen(key));
	buffer_append_text(writer->buffer, writer->indent ? ": " : ":");
	writer->after_key = true;
	writer->needs_comma = true;
}

void json_write_raw(struct json_writer *writer, const char *text)
{
	separate(writer);
	buffer_append_text(writer->buffer, text);
	writer->needs_comma = true;
}

void json_write_string_n(struct json_writer *writer, const char *text, size_t length)
{
	separate(writer);
	json_write_quoted(writer->buffer, text, length);
	writer->needs_comma = true;
}

void json_write_string(struct json_writer *writer, const char *text)
{
	if (text)
		json_write_string_n(writer, text, strlen(text));
	else
		json_write_null(writer);
}

void json_write_int(struct json_writer *writer, int64_t value)
{
	separate(writer);
	buffer_printf(writer->buffer, "%" PRId64, value);
	writer->needs_comma = true;
}

void json_write_uint(struct json_writer *writer, uint64_t value)
{
	separate(writer);
	buffer_printf(writer->buffer, "%" PRIu64, value);
	writer->needs_comma = true;
}

void json_write_bool(struct json_writer *writer, bool value)
{
	json_write_raw(writer, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer)
{
	json_write_raw(writer, "null");
}

void json_write_member(struct json_writer *writer, const char *key, const char *text)
{
	json_write_key(writer, key);
	json_write_string(writer, text);
}

void json_write_member_int(struct json_writer *writer, const char *key, int64_t value)
{
	json_write_key(writer, key);
	json_write_int(writer, value);
}

void json_write_member_uint(struct json_writer *writer, const char *key, uint64_t value)
{
	json_write_key(writer, key);
	json_write_uint(writer, value);
}

void json_write_member_bool(struct json_writer *writer, const char *key, bool value)
{
	json_write_key(writer, key);
	json_write_bool(writer, value);
}

void json_write_member_strings(struct json_writer *writer, const char *key, const char *const *list, size_t n)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	for (size_t i = 0; i < n; i++)
		json_write_string(writer, list[i]);
	json_write_array_end(writer);
}

void json_write_member_terminated(struct json_writer *writer, const char *key, const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	json_write_member_strings(writer, key, list, n);
}
