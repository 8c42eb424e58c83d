#include "image/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "image/archive.h"

#define MARKER_NAME "oci-layout"
#define INDEX_NAME "index.json"

struct layout {
	int fd;			 /* of the folder, or of the file */
	struct archive *archive; /* NULL: a folder */
};

void layout_blob_done(struct layout_blob *blob)
{
	close_and_reset(&blob->fd);
}

void layout_free(struct layout *layout)
{
	if (!layout)
		return;
	archive_free(layout->archive);
	close_and_reset(&layout->fd);
	free(layout);
}

/* A file of the folder: no link on the way, nothing but a regular file. Someone else's folder may hold anything. */
static int open_in_folder(const struct layout *layout, const char *name, struct layout_blob *ret, struct error *err)
{
	AUTO_CLOSE int fd = sys_openat2(layout->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0,
					RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_REFUSED, ENOENT, "%s is missing in the layout", name);
	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERROR_REFUSED, ELOOP,
				 "%s is reached by a symbolic link, which a layout may not have", name);
	if (fd < 0)
		return error_named(err, errno, "open %s", name);
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "fstat %s", name);
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_REFUSED, EBADMSG, "%s is no regular file", name);
	ret->fd = steal_fd(&fd);
	ret->offset = 0;
	ret->size = (uint64_t)status.st_size;
	return 0;
}

/* A descriptor of its own for each blob shares the file's offset with ours (dup(2)): one blob is read at a time, or by
 * pread(2). */
static int open_in_archive(const struct layout *layout, const char *name, struct layout_blob *ret, struct error *err)
{
	uint64_t offset = 0, size = 0;

	if (!archive_find(layout->archive, name, &offset, &size))
		return error_set(err, ERROR_REFUSED, ENOENT, "%s is missing in the layout", name);
	ret->fd = fcntl(layout->fd, F_DUPFD_CLOEXEC, 0);
	if (ret->fd < 0)
		return error_system(err, errno, "duplicate a descriptor");
	ret->offset = offset;
	ret->size = size;
	return 0;
}

static int open_named(const struct layout *layout, const char *name, struct layout_blob *ret, struct error *err)
{
	return layout->archive ? open_in_archive(layout, name, ret, err) : open_in_folder(layout, name, ret, err);
}

/* The size is the folder's or the archive's own word and was held against a cap; a file that grows meanwhile is read no
 * further. */
static int read_whole(const struct layout_blob *blob, struct buffer *text, struct error *err)
{
	size_t done = 0;
	ssize_t n;

	if (buffer_reserve(text, blob->size) < 0)
		return error_memory(err);
	while (done < blob->size) {
		n = pread(blob->fd, text->data + done, blob->size - done, (off_t)(blob->offset + done));
		if (n < 0 && errno != EINTR)
			return error_system(err, errno, "read");
		if (n == 0)
			return error_set(err, ERROR_REFUSED, EBADMSG, "the file ends before its size says");
		done += n > 0 ? (size_t)n : 0;
	}
	text->length = done;
	text->data[done] = '\0';
	return 0;
}

static int read_named(const struct layout *layout, const char *name, struct buffer *text, struct error *err)
{
	__attribute__((cleanup(layout_blob_done_cleanup))) struct layout_blob blob = { .fd = -EBADF };
	int rc = open_named(layout, name, &blob, err);

	if (rc < 0)
		return rc;
	if (blob.size > DOCUMENT_BYTES_MAX)
		return error_set(err, ERROR_REFUSED, EFBIG, "%s has %llu bytes (at most %zu)", name,
				 (unsigned long long)blob.size, DOCUMENT_BYTES_MAX);
	rc = read_whole(&blob, text, err);
	return rc < 0 ? error_prefix(err, "%s", name) : 0;
}

/* Without it nothing says that the rest is laid out as image-layout.md has it; any folder with an index.json would do. */
static int check_marker(const struct layout *layout, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = read_named(layout, MARKER_NAME, &text, err);

	if (rc == -ENOENT)
		return error_set(err, ERROR_REFUSED, EBADMSG,
				 "no OCI image layout (it has no file " MARKER_NAME "): make one with "
				 "`skopeo copy docker://IMAGE oci:FOLDER` or `podman save --format oci-archive`");
	if (rc == 0)
		rc = document_decode_marker(text.data, text.length, err);
	return rc;
}

/* The user's own path: links on the way to it are his choice, other than those inside the layout. O_NONBLOCK: a FIFO is to be
 * refused, not waited for. */
static int open_kind(struct layout *layout, const char *path, const struct pace *pace, struct error *err)
{
	struct stat status;

	layout->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (layout->fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "there is no such file or folder");
	if (layout->fd < 0)
		return error_named(err, errno, "open");
	if (fstat(layout->fd, &status) < 0)
		return error_system(err, errno, "fstat");
	if (S_ISDIR(status.st_mode))
		return 0;
	if (!S_ISREG(status.st_mode))
		return error_set(err, ERROR_REFUSED, EBADMSG, "neither a folder nor a regular file");
	return archive_open(layout->fd, (uint64_t)status.st_size, pace, &layout->archive, err);
}

int layout_open(const char *path, const struct pace *pace, struct layout **ret, struct error *err)
{
	AUTO(layout_free) struct layout *layout = calloc(1, sizeof(*layout));
	int rc;

	if (!layout)
		return error_memory(err);
	layout->fd = -EBADF;
	rc = open_kind(layout, path, pace, err);
	if (rc == 0)
		rc = check_marker(layout, err);
	if (rc < 0)
		return rc;
	*ret = steal_ptr(&layout);
	return 0;
}

int layout_read_index(struct layout *layout, struct buffer *text, struct error *err)
{
	return read_named(layout, INDEX_NAME, text, err);
}

/* The name of the file is made from the digest's checked hexadecimal digits: the descriptor's text never becomes a path. */
int layout_open_blob(struct layout *layout, const struct document_descriptor *descriptor, struct layout_blob *ret,
		     struct error *err)
{
	__attribute__((cleanup(layout_blob_done_cleanup))) struct layout_blob blob = { .fd = -EBADF };
	char name[sizeof("blobs/sha256/") + 2 * DIGEST_SIZE];
	int rc = digest_parse(descriptor->digest, &blob.digest, err);

	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "blobs/sha256/%s", blob.digest.hex);
	rc = open_named(layout, name, &blob, err);
	if (rc < 0)
		return rc;
	if (!descriptor->size.set || descriptor->size.value != blob.size)
		return error_set(err, ERROR_REFUSED, EBADMSG, "%s has %llu bytes, its descriptor says %llu", name,
				 (unsigned long long)blob.size, (unsigned long long)descriptor->size.value);
	*ret = blob;
	blob.fd = -EBADF;
	return 0;
}

int layout_read_blob(struct layout *layout, const struct document_descriptor *descriptor, struct buffer *text,
		     struct error *err)
{
	__attribute__((cleanup(layout_blob_done_cleanup))) struct layout_blob blob = { .fd = -EBADF };
	int rc = layout_open_blob(layout, descriptor, &blob, err);

	if (rc == 0 && blob.size > DOCUMENT_BYTES_MAX)
		rc = error_set(err, ERROR_REFUSED, EFBIG, "blob %s has %llu bytes (a document: at most %zu)",
			       blob.digest.hex, (unsigned long long)blob.size, DOCUMENT_BYTES_MAX);
	if (rc == 0)
		rc = read_whole(&blob, text, err);
	if (rc == 0)
		rc = digest_check(&blob.digest, text->data, text->length, err);
	return rc;
}
