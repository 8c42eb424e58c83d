#include "image/tar_pax.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quantity.h"
#include "image/tar.h"

enum pax_key { PAX_PATH, PAX_LINKPATH, PAX_SIZE, PAX_UID, PAX_GID, PAX_MTIME };

static const char *const keys[] = {
	[PAX_PATH] = "path", [PAX_LINKPATH] = "linkpath", [PAX_SIZE] = "size",
	[PAX_UID] = "uid",   [PAX_GID] = "gid",		  [PAX_MTIME] = "mtime",
};

static int refuse(const char *what, const char *value, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EBADMSG, "extended header: %s: %.100s", what, value);
}

/* A value's end is where its record ends: extended attributes have NULs inside. */
struct value {
	const char *text; /* terminated */
	size_t length;
};

/* Cuts the record at text, of at most length bytes, into key and value; *ret_size is all that it takes. */
static int cut_record(char *text, size_t length, struct value *ret_value, size_t *ret_size, struct error *err)
{
	const char *digits = text;
	uint64_t size = 0;
	char *equals;

	/* The caller's text is terminated, so that the digits end. */
	if (quantity_digits(&digits, &size) < 0 || *digits != ' ' || size > length ||
	    size < (size_t)(digits - text) + 4 || text[size - 1] != '\n')
		return refuse("a record's length is wrong", text, err);
	text[size - 1] = '\0';
	equals = strchr(digits, '=');
	if (!equals || equals == digits + 1)
		return refuse("a record without a key", text, err);
	*equals = '\0';
	*ret_value = (struct value){ .text = equals + 1, .length = (size_t)(text + size - 1 - (equals + 1)) };
	*ret_size = size;
	memmove(text, digits + 1, (size_t)(equals - digits));
	return 0;
}

static int decode_number(const char *key, const char *value, uint64_t max, uint64_t *ret, struct error *err)
{
	const char *end = value;

	if (quantity_digits(&end, ret) < 0 || *end || *ret > max)
		return refuse(key, value, err);
	return 0;
}

static int decode_id(const char *key, const char *value, struct opt_u32 *ret, struct error *err)
{
	uint64_t number = 0;
	int rc = decode_number(key, value, UINT32_MAX - 1, &number, err);

	if (rc == 0)
		*ret = (struct opt_u32){ .set = true, .value = (uint32_t)number };
	return rc;
}

/* "1700000000.123456789": whole seconds are enough here. Before 1970: 0. */
static int decode_time(const char *key, const char *value, struct opt_i64 *ret, struct error *err)
{
	const char *end = value + (*value == '-');
	uint64_t seconds = 0;

	if (quantity_digits(&end, &seconds) < 0 || seconds > INT64_MAX || (*end && *end != '.'))
		return refuse(key, value, err);
	*ret = (struct opt_i64){ .set = true, .value = *value == '-' ? 0 : (int64_t)seconds };
	return 0;
}

static int decode_known(enum pax_key known, const char *value, struct tar_pax *pax, struct error *err)
{
	const char *key = keys[known];

	switch (known) {
	case PAX_PATH:
		pax->path = *value ? value : NULL;
		return 0;
	case PAX_LINKPATH:
		pax->linkpath = *value ? value : NULL;
		return 0;
	case PAX_SIZE:
		pax->size.set = true;
		return decode_number(key, value, TAR_MEMBER_MAX, &pax->size.value, err);
	case PAX_UID:
		return decode_id(key, value, &pax->uid, err);
	case PAX_GID:
		return decode_id(key, value, &pax->gid, err);
	case PAX_MTIME:
		return decode_time(key, value, &pax->mtime, err);
	}
	return 0;
}

static int decode_record(const char *key, const struct value *value, struct tar_pax *pax, struct error *err)
{
	if (strncmp(key, "GNU.sparse.", 11) == 0)
		return error_set(err, ERROR_REFUSED, EBADMSG, "a sparse file, which is not supported");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(key, keys[i]) != 0)
			continue;
		if (strlen(value->text) != value->length)
			return refuse("a NUL inside", key, err);
		return decode_known((enum pax_key)i, value->text, pax, err);
	}
	return 0;
}

int tar_pax_decode(char *text, size_t length, struct tar_pax *ret, struct error *err)
{
	struct tar_pax pax = { 0 };
	struct value value = { .text = "" };
	size_t size = 0;
	int rc = 0;

	for (; rc == 0 && length > 0; text += size, length -= size) {
		rc = cut_record(text, length, &value, &size, err);
		if (rc < 0)
			return rc;
		rc = decode_record(text, &value, &pax, err);
	}
	if (rc == 0)
		*ret = pax;
	return rc;
}
