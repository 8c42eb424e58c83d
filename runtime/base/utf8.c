#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_character(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0], low = 0x80, high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (size > length)
		return 0;
	/* The second byte's range is what excludes overlong forms, surrogates and what lies above U+10FFFF. */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf4)
		high = 0x8f;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

size_t utf8_valid_length(const char *text, size_t length)
{
	size_t done = 0, size;
	uint64_t word;

	while (done < length) {
		/* Documents are ASCII for the most part: eight bytes at a time. */
		if (length - done >= sizeof(word)) {
			memcpy(&word, text + done, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				done += sizeof(word);
				continue;
			}
		}
		size = utf8_character(text + done, length - done);
		if (size == 0)
			break;
		done += size;
	}
	return done;
}

unsigned utf8_misleading(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned code;

	if (size == 2)
		return bytes[0] == 0xd8 && bytes[1] == 0x9c ? 0x61c : 0;
	if (size != 3 || bytes[0] != 0xe2)
		return 0;
	code = 0x2000 | (bytes[1] & 0x3fU) << 6 | (bytes[2] & 0x3fU);
	return code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
			       (code >= 0x2066 && code <= 0x2069)
		       ? code
		       : 0;
}
