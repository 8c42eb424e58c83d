/* One 512-byte header of a tar archive, decoded. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define TAR_BLOCK 512

struct tar_header {
	char type;
	char name[257], target[101]; /* name: the prefix is put before it */
	uint64_t size;
	uint32_t mode, uid, gid; /* mode: the bits 07777 */
	int64_t mtime;		 /* 0 where it is before 1970 */
};

/* The block that ends an archive. */
bool tar_header_is_zero(const uint8_t block[static TAR_BLOCK]);
/* 0, or -EBADMSG (ERROR_REFUSED): no ustar header, a checksum that does not fit, a number that is none or too large. */
int tar_header_decode(const uint8_t block[static TAR_BLOCK], struct tar_header *ret, struct error *err);
