#include "image/layer.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#include <sha2.h>

#include "image/decoder.h"
#include "image/digest.h"

/* What an archive has beside the files' bytes: headers, padding, long names. */
#define BYTES_PER_ENTRY 4096
#define BYTES_OVER ((uint64_t)16 * 1024 * 1024)
#define TURN_MS 50

/* The archive as it comes out of the decoder, and the digest of it so far. */
struct stream {
	int fd;
	const struct pace *pace;
	bool ended; /* the decoder has nothing more to say: its outcome tells why */
	SHA2_CTX sha;
};

/* The decoder can take its time: it may have much to read that nothing comes of. */
static int wait_for_stream(const struct stream *stream, struct error *err)
{
	struct pollfd polled = { .fd = stream->fd, .events = POLLIN };
	int rc;

	do {
		rc = pace_check(stream->pace, err);
		if (rc < 0)
			return rc;
		rc = poll(&polled, 1, TURN_MS);
	} while (rc == 0 || (rc < 0 && errno == EINTR));
	return rc < 0 ? error_system(err, errno, "wait for what is unpacked") : 0;
}

/* The digest is taken of all that passes, whatever becomes of it: diff_id is of the whole archive. */
static ssize_t stream_read(void *context, void *data, size_t size, struct error *err)
{
	struct stream *stream = context;
	ssize_t n = wait_for_stream(stream, err);

	if (n < 0)
		return n;
	do {
		n = read(stream->fd, data, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_system(err, errno, "read what was unpacked");
	stream->ended = n == 0;
	SHA256Update(&stream->sha, data, (size_t)n);
	return n;
}

/* Errors say which entry, by its place and its name: an archive may have two of one name. */
static int add_entries(struct tree *tree, struct tar *tar, struct error *err)
{
	struct tar_entry entry;
	int rc;

	for (uint64_t n = 1;; n++) {
		rc = tar_next(tar, &entry, err);
		if (rc < 0)
			return error_prefix(err, "entry %llu", (unsigned long long)n);
		if (rc == 0)
			return 0;
		rc = tree_add(tree, &entry, tar, err);
		if (rc < 0)
			return error_prefix(err, "entry %llu, %.300s", (unsigned long long)n, entry.name);
	}
}

static uint64_t bytes_allowed(const struct tree *tree)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(tree->entries_left, (uint64_t)BYTES_PER_ENTRY, &bytes) ||
	    __builtin_add_overflow(bytes, tree->bytes_left, &bytes) || __builtin_add_overflow(bytes, BYTES_OVER, &bytes))
		return UINT64_MAX;
	return bytes;
}

/* Where the decoder gave up, the archive looks cut off: the reason is the decoder's. */
static int add_stream(struct stream *stream, struct decoder *decoder, struct tree *tree, struct error *err)
{
	struct tar_source source = { .read = stream_read, .context = stream };
	AUTO(tar_free) struct tar *tar = tar_new(&source);
	struct error reason = { 0 };
	int rc;

	if (!tar)
		return error_memory(err);
	rc = add_entries(tree, tar, err);
	if (rc < 0 && !stream->ended)
		return rc;
	if (decoder_finish(decoder, &reason) < 0) {
		if (err)
			*err = reason;
		return -reason.code;
	}
	return rc;
}

static int check_diff_id(struct stream *stream, const char *diff_id, struct error *err)
{
	uint8_t bytes[DIGEST_SIZE];
	struct digest wanted, found;
	int rc = digest_parse(diff_id, &wanted, err);

	if (rc < 0)
		return rc;
	SHA256Final(bytes, &stream->sha);
	found = digest_of_bytes(bytes);
	rc = digest_compare(&wanted, &found, err);
	return rc < 0 ? error_prefix(err, "unpacked, it is not what the configuration's diff_ids say") : 0;
}

static int apply(const struct layout_blob *blob, enum document_layer kind, const char *diff_id, struct tree *tree,
		 struct error *err)
{
	__attribute__((cleanup(decoder_done_cleanup))) struct decoder decoder = { .fd = -EBADF, .pid = -1 };
	struct stream stream = { .pace = tree->pace };
	int rc = decoder_start(blob, kind, bytes_allowed(tree), &decoder, err);

	if (rc < 0)
		return rc;
	stream.fd = decoder.fd;
	SHA256Init(&stream.sha);
	rc = add_stream(&stream, &decoder, tree, err);
	return rc < 0 ? rc : check_diff_id(&stream, diff_id, err);
}

int layer_apply(struct layout *layout, const struct document_descriptor *descriptor, const char *diff_id,
		struct tree *tree, struct error *err)
{
	__attribute__((cleanup(layout_blob_done_cleanup))) struct layout_blob blob = { .fd = -EBADF };
	enum document_layer kind = document_layer_of(descriptor->media_type);
	int rc;

	if (kind == DOCUMENT_LAYER_OTHER)
		return error_set(err, ERROR_UNSUPPORTED, ENOTSUP,
				 "mediaType \"%.100s\" (known: tar, tar+gzip and tar+zstd)",
				 descriptor->media_type ?: "");
	rc = layout_open_blob(layout, descriptor, &blob, err);
	if (rc < 0)
		return rc;
	tree_next_layer(tree);
	rc = apply(&blob, kind, diff_id, tree, err);
	return rc < 0 ? error_prefix(err, "blob sha256:%s", blob.digest.hex) : 0;
}
