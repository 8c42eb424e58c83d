#include "tests/unit/image/tar_fixture.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 512

/* As many octal digits as the field has room for beside a NUL. */
static void set_octal(unsigned char *field, size_t width, uint64_t value)
{
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (unsigned char)('0' + (value & 7));
}

static void set_checksum(unsigned char block[static BLOCK], int damage)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	block[154] = '\0';
	set_octal(block + 148, 7, sum + (unsigned)damage);
}

static void copy_field(unsigned char *field, const char *text, size_t width)
{
	memcpy(field, text, strlen(text) < width ? strlen(text) : width);
}

void tar_fixture_add(struct buffer *archive, const struct tar_member *member)
{
	static const char zeros[BLOCK];
	size_t length = member->length || !member->content ? member->length : strlen(member->content);
	char type = member->type ? member->type : '0';
	unsigned char block[BLOCK] = { 0 };

	copy_field(block, member->name, 100);
	set_octal(block + 100, 8, member->mode ? member->mode : type == '5' ? 0755u : 0644u);
	set_octal(block + 108, 8, member->uid);
	set_octal(block + 116, 8, member->gid);
	set_octal(block + 124, 12, length);
	set_octal(block + 136, 12, 1000000000u);
	if (member->size)
		memcpy(block + 124, member->size, 12);
	block[156] = (unsigned char)type;
	copy_field(block + 157, member->target ? member->target : "", 100);
	memcpy(block + 257, member->magic ? member->magic : "ustar\00000", 8);
	copy_field(block + 345, member->prefix ? member->prefix : "", 155);
	set_checksum(block, member->damage);
	buffer_append(archive, block, sizeof(block));
	buffer_append(archive, member->content ? member->content : "", length);
	buffer_append(archive, zeros, -length % BLOCK);
}

void tar_fixture_pax(struct buffer *archive, char type, const char *const *records)
{
	struct buffer text = { 0 };

	for (; *records; records++) {
		size_t length = strlen(*records) + 3, total;

		/* The length counts its own digits. */
		for (total = length; (size_t)snprintf(NULL, 0, "%zu", total) + length - 1 != total;)
			total = (size_t)snprintf(NULL, 0, "%zu", total) + length - 1;
		buffer_printf(&text, "%zu %s\n", total, *records);
	}
	tar_fixture_add(archive, &(struct tar_member){
					 .name = "pax",
					 .type = type,
					 .content = text.data,
					 .length = text.length,
				 });
	buffer_done(&text);
}

void tar_fixture_end(struct buffer *archive)
{
	static const char zeros[2 * BLOCK];

	buffer_append(archive, zeros, sizeof(zeros));
}
