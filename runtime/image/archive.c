#include "image/archive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/tar.h"

#define NAME_MAX_BYTES 80 /* blobs/sha256/ and 64 digits: longer names are none of a layout's */

struct member {
	char name[NAME_MAX_BYTES];
	uint64_t offset, size;
};

struct archive {
	size_t n_members;
	struct member members[ARCHIVE_MEMBERS_MAX];
};

/* A file read from where we are. */
struct place {
	int fd;
	uint64_t offset, size;
	const struct pace *pace;
};

static ssize_t place_read(void *context, void *data, size_t size, struct error *err)
{
	struct place *place = context;
	uint64_t left = place->size - place->offset;
	ssize_t n;
	int rc = pace_check(place->pace, err);

	if (rc < 0)
		return rc;
	do {
		n = pread(place->fd, data, left < size ? left : size, (off_t)place->offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_system(err, errno, "read");
	place->offset += (uint64_t)n;
	return n;
}

static int place_skip(void *context, uint64_t size, struct error *err)
{
	struct place *place = context;

	if (size > place->size - place->offset)
		return error_set(err, ERROR_REFUSED, EBADMSG, "the archive is cut off inside an entry");
	place->offset += size;
	return 0;
}

/* What would only end in "no ustar header" gets an advice. */
static int check_packed(int fd, struct error *err)
{
	uint8_t magic[4] = { 0 };

	if (pread(fd, magic, sizeof(magic), 0) < 0)
		return error_system(err, errno, "read");
	if (magic[0] == 0x1f && magic[1] == 0x8b)
		return error_set(err, ERROR_REFUSED, EBADMSG, "the layout is packed with gzip: unpack it first (gunzip)");
	if (magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd)
		return error_set(err, ERROR_REFUSED, EBADMSG, "the layout is packed with zstd: unpack it first (unzstd)");
	return 0;
}

static int add_member(struct archive *archive, const struct tar_entry *entry, uint64_t offset, struct error *err)
{
	const char *name = entry->name;
	struct member *member;

	while (name[0] == '.' && name[1] == '/')
		name += 2;
	if (entry->kind != TAR_FILE || strlen(name) >= NAME_MAX_BYTES)
		return 0;
	if (archive->n_members == ARCHIVE_MEMBERS_MAX)
		return error_set(err, ERROR_REFUSED, EFBIG, "more than %d files in the layout", ARCHIVE_MEMBERS_MAX);
	member = &archive->members[archive->n_members++];
	strcpy(member->name, name);
	member->offset = offset;
	member->size = entry->size;
	return 0;
}

int archive_open(int fd, uint64_t size, const struct pace *pace, struct archive **ret, struct error *err)
{
	struct place place = { .fd = fd, .size = size, .pace = pace };
	struct tar_source source = { .read = place_read, .skip = place_skip, .context = &place };
	AUTO(archive_free) struct archive *archive = calloc(1, sizeof(*archive));
	AUTO(tar_free) struct tar *tar = tar_new(&source);
	struct tar_entry entry;
	int rc;

	if (!archive || !tar)
		return error_memory(err);
	rc = check_packed(fd, err);
	if (rc < 0)
		return rc;
	for (;;) {
		rc = tar_next(tar, &entry, err);
		if (rc == 0)
			break;
		if (rc > 0)
			rc = add_member(archive, &entry, place.offset, err);
		if (rc < 0)
			return error_prefix(err, "the layout's tar file, near byte %llu",
					    (unsigned long long)place.offset);
	}
	*ret = steal_ptr(&archive);
	return 0;
}

void archive_free(struct archive *archive)
{
	free(archive);
}

bool archive_find(const struct archive *archive, const char *name, uint64_t *ret_offset, uint64_t *ret_size)
{
	for (size_t i = archive->n_members; i-- > 0;) {
		if (strcmp(archive->members[i].name, name) != 0)
			continue;
		*ret_offset = archive->members[i].offset;
		*ret_size = archive->members[i].size;
		return true;
	}
	return false;
}
