#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void buffer_done(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

int buffer_reserve(struct buffer *buffer, size_t length)
{
	size_t limit = buffer->limit ?: BUFFER_LIMIT_DEFAULT, capacity = buffer->capacity ?: 256;
	char *data;

	if (buffer->failed)
		return buffer->failed;
	if (length > limit || buffer->length > limit - length)
		return buffer->failed = -EFBIG;
	if (buffer->data && buffer->capacity - buffer->length > length)
		return 0;
	while (capacity - buffer->length <= length)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data)
		return buffer->failed = -ENOMEM;
	buffer->data = data;
	buffer->capacity = capacity;
	data[buffer->length] = '\0';
	return 0;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (buffer_reserve(buffer, length) < 0)
		return;
	memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	size_t room = buffer->data ? buffer->capacity - buffer->length : 0;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(room ? buffer->data + buffer->length : NULL, room, format, args);
	va_end(args);
	if (length < 0 || buffer_reserve(buffer, (size_t)length) < 0) {
		if (room)
			buffer->data[buffer->length] = '\0';
		return;
	}
	/* Most find room at once. */
	if ((size_t)length >= room) {
		va_start(args, format);
		vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
		va_end(args);
	}
	buffer->length += (size_t)length;
}

/* How many bytes at the beginning of text, which ends in a zero, are a character that misleads who reads it, or 0. */
static size_t misleading(const unsigned char *text)
{
	const char *begin = (const char *)text;
	size_t size = *text < 0x80 ? 1 : utf8_character(begin, strnlen(begin, 4));

	return size > 1 && utf8_misleading(begin, size) ? size : 0;
}

void buffer_append_visible(struct buffer *buffer, const char *text, bool quoted)
{
	size_t escaped = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool c1_control = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
		/* Of such a pair the second, or a byte on its own that an 8-bit terminal takes for a control character. */
		bool lone = *c >= 0x80 && *c < 0xa0 &&
			    (c == (const unsigned char *)text || c[-1] < 0x80 || c[-1] == 0xc2);

		escaped -= escaped > 0;
		escaped = escaped ?: misleading(c);
		if (*c == '\n')
			buffer_append_text(buffer, "\\n");
		else if (*c == '\t')
			buffer_append_text(buffer, "\\t");
		else if (*c < ' ' || *c == 0x7f || c1_control || lone || escaped)
			buffer_printf(buffer, "\\x%02x", *c);
		else if (quoted && (*c == '"' || *c == '\\'))
			buffer_printf(buffer, "\\%c", *c);
		else
			buffer_append(buffer, c, 1);
	}
}

void buffer_append_labelled(struct buffer *buffer, const char *label, const char *text)
{
	buffer_append_text(buffer, label);
	buffer_append_visible(buffer, text, /* quoted= */ false);
}

char *buffer_steal(struct buffer *buffer)
{
	char *data;

	if (buffer_reserve(buffer, 0) < 0)
		return NULL;
	data = buffer->data;
	buffer->data = NULL;
	buffer_done(buffer);
	return data;
}
