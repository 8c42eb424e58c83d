/* Digests as descriptors have them: "sha256:" and 64 hexadecimal digits (image-spec, descriptor.md). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_SIZE 32

struct digest {
	uint8_t bytes[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1]; /* lower case, as in blobs/sha256/ */
};

/* text may be NULL (missing). -EBADMSG (ERROR_REFUSED), or -ENOTSUP (ERROR_UNSUPPORTED) for another algorithm. */
int digest_parse(const char *text, struct digest *ret, struct error *err);
struct digest digest_of_bytes(const uint8_t bytes[static DIGEST_SIZE]);
/* 0, or ERROR_REFUSED where data has another one: the message has both. */
int digest_check(const struct digest *wanted, const void *data, size_t length, struct error *err);
int digest_compare(const struct digest *wanted, const struct digest *found, struct error *err);
