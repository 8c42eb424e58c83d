/* Tar archives for tests, good and bad. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct tar_member {
	const char *name;
	char type;	     /* 0: '0' */
	const char *target;  /* or NULL */
	const char *content; /* or NULL */
	size_t length;	     /* of content; 0: strlen */
	unsigned mode;	     /* 0: 0644, a folder 0755 */
	uint32_t uid, gid;
	const char *size;  /* the field as it is to be (12 bytes), or NULL */
	const char *magic; /* the field as it is to be (8 bytes), or NULL: ustar of POSIX */
	const char *prefix;
	int damage; /* is added to the checksum */
};

/* One header and its content, padded. */
void tar_fixture_add(struct buffer *archive, const struct tar_member *member);
/* A pax header of type 'x' or 'g' with these records, which are "KEY=VALUE", ended by NULL. */
void tar_fixture_pax(struct buffer *archive, char type, const char *const *records);
/* The two blocks of zeros. */
void tar_fixture_end(struct buffer *archive);
