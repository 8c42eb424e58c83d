#include "image/tar.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "image/tar_header.h"
#include "image/tar_pax.h"

/* Types that ustar itself does not have: pax's two, and those of GNU's tar. */
#define TYPE_PAX 'x'
#define TYPE_PAX_GLOBAL 'g'
#define TYPE_GNU_NAME 'L'
#define TYPE_GNU_TARGET 'K'

struct tar {
	struct tar_source source;
	uint64_t left;	  /* bytes of the entry's content that were not read yet */
	unsigned padding; /* zeros that fill its last block */
	bool ended;
	struct buffer pax, long_name, long_target;
	char name[TAR_NAME_MAX + 1], target[TAR_NAME_MAX + 1];
};

struct tar *tar_new(const struct tar_source *source)
{
	struct tar *tar = calloc(1, sizeof(*tar));

	if (tar)
		tar->source = *source;
	return tar;
}

void tar_free(struct tar *tar)
{
	if (!tar)
		return;
	buffer_done(&tar->pax);
	buffer_done(&tar->long_name);
	buffer_done(&tar->long_target);
	free(tar);
}

static int refuse(const char *why, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EBADMSG, "%s", why);
}

/* Fills data, or as much of it as there is before the end. Returns the number of bytes. */
static ssize_t read_full(struct tar *tar, void *data, size_t size, struct error *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = tar->source.read(tar->source.context, (char *)data + done, size - done, err);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* A decoder's pipe can't seek. */
static int skip_by_reading(struct tar *tar, uint64_t size, struct error *err)
{
	char scrap[8192];
	ssize_t n;

	while (size > 0) {
		n = tar->source.read(tar->source.context, scrap, size < sizeof(scrap) ? size : sizeof(scrap), err);
		if (n <= 0)
			return n < 0 ? (int)n : refuse("the archive is cut off inside an entry", err);
		size -= (uint64_t)n;
	}
	return 0;
}

/* To the next header. */
static int skip_rest(struct tar *tar, struct error *err)
{
	uint64_t size = tar->left + tar->padding;

	tar->left = 0;
	tar->padding = 0;
	if (size == 0)
		return 0;
	return tar->source.skip ? tar->source.skip(tar->source.context, size, err) : skip_by_reading(tar, size, err);
}

/* What follows the archive's end has to be zeros: nothing is hidden there, and all of the source is seen (and hashed). */
static int read_trailing(struct tar *tar, struct error *err)
{
	char block[TAR_BLOCK];
	size_t total = 0;
	ssize_t n;

	for (;;) {
		n = tar->source.read(tar->source.context, block, sizeof(block), err);
		if (n <= 0)
			return (int)n;
		total += (size_t)n;
		for (ssize_t i = 0; i < n; i++) {
			if (block[i])
				return refuse("there is something behind the archive's end", err);
		}
		if (total > TAR_TRAILING_MAX)
			return refuse("there are more zeros behind the archive's end than any writer puts there", err);
	}
}

/* The next header: 1, 0 at the end, or a negative errno. An archive may lack the blocks of zeros at its end, but not a part of a
 * block. */
static int read_header(struct tar *tar, struct tar_header *ret, struct error *err)
{
	uint8_t block[TAR_BLOCK];
	ssize_t n = read_full(tar, block, sizeof(block), err);
	int rc;

	if (n <= 0)
		return (int)n;
	if (n < TAR_BLOCK)
		return refuse("the archive is cut off inside a header", err);
	if (tar_header_is_zero(block))
		return read_trailing(tar, err);
	rc = tar_header_decode(block, ret, err);
	if (rc < 0)
		return rc;
	tar->left = ret->size;
	tar->padding = (unsigned)(-ret->size % TAR_BLOCK);
	return 1;
}

static size_t extended_size(const struct tar *tar)
{
	return tar->pax.length + tar->long_name.length + tar->long_target.length;
}

/* All of an extended header's content. Only one of each kind may stand before an entry. */
static int read_extended(struct tar *tar, struct buffer *buffer, struct error *err)
{
	size_t size = tar->left;
	ssize_t n;

	if (buffer->length > 0)
		return refuse("two extended headers of one kind for one entry", err);
	if (size == 0 || tar->left > TAR_EXTENDED_MAX - extended_size(tar))
		return error_set(err, ERROR_REFUSED, EBADMSG, "an extended header of %llu bytes (at most %u)",
				 (unsigned long long)tar->left, TAR_EXTENDED_MAX);
	if (buffer_reserve(buffer, size) < 0)
		return error_memory(err);
	n = read_full(tar, buffer->data, size, err);
	if (n < 0)
		return (int)n;
	if ((size_t)n < size)
		return refuse("the archive is cut off inside an extended header", err);
	buffer->length = size;
	buffer->data[size] = '\0';
	tar->left = 0;
	return 0;
}

/* GNU's form: one text, and the NUL at its end counts. */
static int read_long(struct tar *tar, struct buffer *buffer, struct error *err)
{
	int rc = read_extended(tar, buffer, err);

	if (rc < 0)
		return rc;
	while (buffer->length > 0 && buffer->data[buffer->length - 1] == '\0')
		buffer->length--;
	if (buffer->length == 0 || strlen(buffer->data) != buffer->length)
		return refuse("a long name that is empty or has a NUL inside", err);
	return 0;
}

/* It holds for all entries that follow: of use to nobody but writers of comments. */
static int read_global(struct tar *tar, struct error *err)
{
	struct tar_pax global = { 0 };
	int rc = tar->pax.length > 0 ? refuse("an extended header between another one and its entry", err)
				     : read_extended(tar, &tar->pax, err);

	if (rc == 0)
		rc = tar_pax_decode(tar->pax.data, tar->pax.length, &global, err);
	if (rc == 0 && (global.path || global.linkpath || global.size.set))
		rc = refuse("a global extended header that gives all entries one name or size", err);
	tar->pax.length = 0;
	return rc;
}

static void forget_extended(struct tar *tar)
{
	tar->pax.length = 0;
	tar->long_name.length = 0;
	tar->long_target.length = 0;
}

/* The first header that is an entry's own. As read_header. */
static int read_headers(struct tar *tar, struct tar_header *ret, struct error *err)
{
	int rc;

	forget_extended(tar);
	for (;;) {
		rc = skip_rest(tar, err);
		if (rc == 0)
			rc = read_header(tar, ret, err);
		if (rc == 0 && extended_size(tar) > 0)
			rc = refuse("the archive ends after an extended header", err);
		if (rc <= 0)
			return rc;
		switch (ret->type) {
		case TYPE_PAX:
			rc = read_extended(tar, &tar->pax, err);
			break;
		case TYPE_PAX_GLOBAL:
			rc = read_global(tar, err);
			break;
		case TYPE_GNU_NAME:
			rc = read_long(tar, &tar->long_name, err);
			break;
		case TYPE_GNU_TARGET:
			rc = read_long(tar, &tar->long_target, err);
			break;
		default:
			return 1;
		}
		if (rc < 0)
			return rc;
	}
}

static int copy_text(char to[static TAR_NAME_MAX + 1], const char *text, const char *what, struct error *err)
{
	size_t length = strlen(text);

	if (length == 0 || length > TAR_NAME_MAX)
		return error_set(err, ERROR_REFUSED, EBADMSG, "a %s of %zu bytes (1 to %d)", what, length, TAR_NAME_MAX);
	memcpy(to, text, length + 1);
	return 0;
}

/* The types of POSIX's ustar (pax(1)); '7' is a contiguous file, which is a file to everybody by now. Sparse files need a map
 * of holes that a parser would have to trust. */
static int decode_kind(const struct tar_header *header, const char *name, enum tar_kind *ret, struct error *err)
{
	switch (header->type) {
	case '\0': /* before ustar a folder was a file with a slash at its end */
		*ret = name[strlen(name) - 1] == '/' ? TAR_DIRECTORY : TAR_FILE;
		return 0;
	case '0':
	case '7':
		*ret = TAR_FILE;
		return 0;
	case '1':
		*ret = TAR_HARD_LINK;
		return 0;
	case '2':
		*ret = TAR_SYMLINK;
		return 0;
	case '3':
	case '4':
		*ret = TAR_DEVICE;
		return 0;
	case '5':
		*ret = TAR_DIRECTORY;
		return 0;
	case '6':
		*ret = TAR_FIFO;
		return 0;
	case 'S':
		return error_set(err, ERROR_REFUSED, EBADMSG, "%.200s is a sparse file, which is not supported", name);
	default:
		return error_set(err, ERROR_REFUSED, EBADMSG, "%.200s is of type 0x%02x, which is not supported", name,
				 (unsigned)(unsigned char)header->type);
	}
}

/* Name, size and the rest from wherever they are: pax has the last word, then GNU's headers. */
static int compose(struct tar *tar, const struct tar_header *header, struct tar_entry *entry, struct error *err)
{
	struct tar_pax pax = { 0 };
	const char *name = tar->long_name.length ? tar->long_name.data : header->name;
	const char *target = tar->long_target.length ? tar->long_target.data : header->target;
	int rc = tar->pax.length ? tar_pax_decode(tar->pax.data, tar->pax.length, &pax, err) : 0;

	if (rc == 0)
		rc = copy_text(tar->name, pax.path ?: name, "name", err);
	if (rc == 0)
		rc = decode_kind(header, tar->name, &entry->kind, err);
	tar->target[0] = '\0';
	if (rc == 0 && (entry->kind == TAR_HARD_LINK || entry->kind == TAR_SYMLINK))
		rc = copy_text(tar->target, pax.linkpath ?: target, "link's target", err);
	if (rc < 0)
		return rc;
	entry->name = tar->name;
	entry->target = tar->target;
	entry->size = pax.size.set ? pax.size.value : header->size;
	entry->mode = header->mode;
	entry->uid = pax.uid.set ? pax.uid.value : header->uid;
	entry->gid = pax.gid.set ? pax.gid.value : header->gid;
	entry->mtime = pax.mtime.set ? pax.mtime.value : header->mtime;
	return 0;
}

/* What is left of the entry before is skipped first (read_headers): whoever does not want a file's content need not read it. */
int tar_next(struct tar *tar, struct tar_entry *ret, struct error *err)
{
	struct tar_header header = { 0 };
	struct tar_entry entry = { 0 };
	int rc;

	if (tar->ended)
		return 0;
	rc = read_headers(tar, &header, err);
	if (rc <= 0) {
		tar->ended = rc == 0;
		return rc;
	}
	rc = compose(tar, &header, &entry, err);
	if (rc < 0)
		return rc;
	if (entry.kind != TAR_FILE && entry.size > 0)
		return error_set(err, ERROR_REFUSED, EBADMSG, "%.200s has content, though it is no file", entry.name);
	tar->left = entry.size;
	tar->padding = (unsigned)(-entry.size % TAR_BLOCK);
	*ret = entry;
	return 1;
}

ssize_t tar_read(struct tar *tar, void *data, size_t size, struct error *err)
{
	ssize_t n;

	if (tar->left == 0 || size == 0)
		return 0;
	n = tar->source.read(tar->source.context, data, tar->left < size ? tar->left : size, err);
	if (n == 0)
		return refuse("the archive is cut off inside a file", err);
	if (n > 0)
		tar->left -= (uint64_t)n;
	return n;
}
