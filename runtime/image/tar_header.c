#include "image/tar_header.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/tar.h"

/* Where the fields are: POSIX.1-2017, pax, "ustar Interchange Format". */
struct field {
	const char *what;
	unsigned offset, width;
};

static const struct field name_field = { "name", 0, 100 }, mode_field = { "mode", 100, 8 }, uid_field = { "uid", 108, 8 };
static const struct field gid_field = { "gid", 116, 8 }, size_field = { "size", 124, 12 },
			  mtime_field = { "mtime", 136, 12 };
static const struct field checksum_field = { "checksum", 148, 8 }, link_field = { "linkname", 157, 100 };
static const struct field prefix_field = { "prefix", 345, 155 };
#define TYPE_OFFSET 156
#define MAGIC_OFFSET 257

bool tar_header_is_zero(const uint8_t block[static TAR_BLOCK])
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

static int refuse(const struct field *field, const char *why, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EBADMSG, "the header's %s %s", field->what, why);
}

/* GNU's form for what octal digits can't hold: the first byte is 0x80 (0xff: negative), the others big-endian. */
static int decode_binary(const struct field *field, const uint8_t *bytes, uint64_t *ret, struct error *err)
{
	uint64_t value = bytes[0] & 0x3f;

	if (bytes[0] & 0x40)
		return refuse(field, "is negative", err);
	for (unsigned i = 1; i < field->width; i++) {
		if (value >> 54)
			return refuse(field, "is too large", err);
		value = value << 8 | bytes[i];
	}
	*ret = value;
	return 0;
}

/* Octal digits with spaces before, a space or a NUL after. An empty field is 0: some writers leave what they don't know. */
static int decode_number(const struct field *field, const uint8_t *block, uint64_t *ret, struct error *err)
{
	const uint8_t *bytes = block + field->offset;
	uint64_t value = 0;
	unsigned i = 0;

	if (bytes[0] & 0x80)
		return decode_binary(field, bytes, ret, err);
	while (i < field->width && bytes[i] == ' ')
		i++;
	for (; i < field->width && bytes[i] >= '0' && bytes[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(bytes[i] - '0');
	for (; i < field->width; i++) {
		if (bytes[i] != ' ' && bytes[i] != '\0')
			return refuse(field, "is no octal number", err);
	}
	*ret = value;
	return 0;
}

static int check_sum(const uint8_t *block, struct error *err)
{
	uint64_t wanted = 0, sum = (uint64_t)' ' * checksum_field.width;
	int rc = decode_number(&checksum_field, block, &wanted, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < TAR_BLOCK; i++) {
		if (i < checksum_field.offset || i >= checksum_field.offset + checksum_field.width)
			sum += block[i];
	}
	return sum == wanted ? 0 : refuse(&checksum_field, "does not fit its content: the archive is damaged", err);
}

static void copy_text(char *to, const uint8_t *block, const struct field *field)
{
	size_t length = strnlen((const char *)block + field->offset, field->width);

	memcpy(to, block + field->offset, length);
	to[length] = '\0';
}

static void copy_name(char name[static 257], const uint8_t *block, bool has_prefix)
{
	size_t length = 0;

	if (has_prefix && block[prefix_field.offset]) {
		copy_text(name, block, &prefix_field);
		length = strlen(name);
		name[length++] = '/';
	}
	copy_text(name + length, block, &name_field);
}

static int decode_id(const struct field *field, const uint8_t *block, uint32_t *ret, struct error *err)
{
	uint64_t value = 0;
	int rc = decode_number(field, block, &value, err);

	if (rc == 0 && value >= UINT32_MAX)
		return refuse(field, "is no id: it is too large", err);
	*ret = (uint32_t)value;
	return rc;
}

static int decode_numbers(const uint8_t *block, struct tar_header *header, struct error *err)
{
	uint64_t mode = 0, mtime = 0;
	int rc = decode_number(&mode_field, block, &mode, err);

	if (rc == 0)
		rc = decode_id(&uid_field, block, &header->uid, err);
	if (rc == 0)
		rc = decode_id(&gid_field, block, &header->gid, err);
	if (rc == 0)
		rc = decode_number(&size_field, block, &header->size, err);
	/* A file from before 1970 is odd, but harms nobody. */
	if (rc == 0 && !((block[mtime_field.offset] & 0xc0) == 0xc0))
		rc = decode_number(&mtime_field, block, &mtime, err);
	if (rc == 0 && header->size > TAR_MEMBER_MAX)
		rc = refuse(&size_field, "is too large", err);
	header->mode = (uint32_t)(mode & 07777);
	header->mtime = (int64_t)(mtime & INT64_MAX);
	return rc;
}

int tar_header_decode(const uint8_t block[static TAR_BLOCK], struct tar_header *ret, struct error *err)
{
	static const char posix[] = "ustar", gnu[] = "ustar  ";
	bool is_posix = memcmp(block + MAGIC_OFFSET, posix, sizeof(posix)) == 0;
	struct tar_header header = { .type = (char)block[TYPE_OFFSET] };
	int rc;

	if (!is_posix && memcmp(block + MAGIC_OFFSET, gnu, sizeof(gnu)) != 0)
		return error_set(err, ERROR_REFUSED, EBADMSG,
				 "this is no tar archive (no ustar header where one has to be)");
	rc = check_sum(block, err);
	if (rc == 0)
		rc = decode_numbers(block, &header, err);
	if (rc < 0)
		return rc;
	copy_name(header.name, block, /* has_prefix= */ is_posix);
	copy_text(header.target, block, &link_field);
	*ret = header;
	return 0;
}
