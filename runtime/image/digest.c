#include "image/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sha2.h>

#define PREFIX "sha256:"

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int digest_parse(const char *text, struct digest *ret, struct error *err)
{
	struct digest digest = { 0 };
	const char *hex;

	if (!text)
		return error_set(err, ERROR_REFUSED, EBADMSG, "a descriptor without a digest");
	if (strncmp(text, "sha512:", 7) == 0)
		return error_set(err, ERROR_UNSUPPORTED, ENOTSUP, "digest %.80s...: only " PREFIX " is supported", text);
	hex = text + strlen(PREFIX);
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 || strlen(hex) != sizeof(digest.hex) - 1)
		return error_set(err, ERROR_REFUSED, EBADMSG,
				 "\"%.100s\" is no digest (" PREFIX " and %zu hexadecimal digits)", text,
				 sizeof(digest.hex) - 1);
	for (size_t i = 0; i < sizeof(digest.hex) - 1; i++) {
		int value = digit_value(hex[i]);

		if (value < 0)
			return error_set(err, ERROR_REFUSED, EBADMSG,
					 "\"%s\" is no digest: it has something that is no digit", text);
		digest.bytes[i / 2] = (uint8_t)(digest.bytes[i / 2] << 4 | value);
	}
	memcpy(digest.hex, hex, sizeof(digest.hex));
	*ret = digest;
	return 0;
}

struct digest digest_of_bytes(const uint8_t bytes[static DIGEST_SIZE])
{
	struct digest digest;

	memcpy(digest.bytes, bytes, sizeof(digest.bytes));
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		snprintf(digest.hex + 2 * i, 3, "%02x", bytes[i]);
	return digest;
}

int digest_compare(const struct digest *wanted, const struct digest *found, struct error *err)
{
	if (memcmp(wanted->bytes, found->bytes, sizeof(wanted->bytes)) == 0)
		return 0;
	return error_set(err, ERROR_REFUSED, EBADMSG, "the content has the digest " PREFIX "%s, not " PREFIX "%s",
			 found->hex, wanted->hex);
}

int digest_check(const struct digest *wanted, const void *data, size_t length, struct error *err)
{
	uint8_t bytes[DIGEST_SIZE];
	struct digest found;
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, data, length);
	SHA256Final(bytes, &context);
	found = digest_of_bytes(bytes);
	return digest_compare(wanted, &found, err);
}
