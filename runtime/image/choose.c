#include "image/choose.h"

#include <errno.h>
#include <string.h>

#define ANNOTATION_TAG "org.opencontainers.image.ref.name"
#define ANNOTATION_NAME "io.containerd.image.name"
#define LIST_MAX 600 /* bytes of the tags that a message names */

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE "ppc64le"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#elif defined(__loongarch64)
#define ARCHITECTURE "loong64"
#else
#define ARCHITECTURE "unknown"
#endif

/* What is found on the way down. */
struct search {
	struct layout *layout;
	struct arena *arena;
	unsigned indexes_read;
};

const char *choose_architecture(void)
{
	return ARCHITECTURE;
}

/* What says nothing fits: an index of one image often has no platform. Variants (arm/v6, v7) are not looked at. */
bool choose_fits(const struct document_platform *platform)
{
	if (!platform)
		return true;
	if (platform->os && strcmp(platform->os, "linux") != 0)
		return false;
	return !platform->architecture || strcmp(platform->architecture, ARCHITECTURE) == 0;
}

/* skopeo and podman write the tag, containerd's export the whole reference beside it. */
static bool has_name(const struct document_descriptor *descriptor, const char *name)
{
	const char *tag = document_annotation(descriptor, ANNOTATION_TAG);
	const char *full = document_annotation(descriptor, ANNOTATION_NAME);

	return (tag && strcmp(tag, name) == 0) || (full && strcmp(full, name) == 0);
}

static int read_index(struct search *search, const struct document_descriptor *descriptor, struct document *ret,
		      struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc;

	if (++search->indexes_read > CHOOSE_INDEXES_MAX)
		return error_set(err, ERROR_REFUSED, EFBIG, "more than %d indexes", CHOOSE_INDEXES_MAX);
	rc = layout_read_blob(search->layout, descriptor, &text, err);
	if (rc == 0)
		rc = document_decode_index(text.data, text.length, search->arena, ret, err);
	return rc < 0 ? error_prefix(err, "index %.100s", descriptor->digest) : 0;
}

/* The first manifest that fits, at or below descriptor. 1: *ret; 0: there is none. */
static int find_below(struct search *search, const struct document_descriptor *descriptor, unsigned depth,
		      struct document_descriptor *ret, struct error *err)
{
	struct document index = { 0 };
	int rc;

	if (!choose_fits(descriptor->platform))
		return 0;
	switch (document_kind_of(descriptor->media_type)) {
	case DOCUMENT_OTHER: /* a signature, an attestation, a chart */
		return 0;
	case DOCUMENT_MANIFEST:
		*ret = *descriptor;
		return 1;
	case DOCUMENT_INDEX:
		break;
	}
	if (depth == CHOOSE_DEPTH_MAX)
		return error_set(err, ERROR_REFUSED, ELOOP, "more than %d indexes, each in the other", CHOOSE_DEPTH_MAX);
	rc = read_index(search, descriptor, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		rc = find_below(search, &index.manifests[i], depth + 1, ret, err);
	return rc;
}

/* The names of what there is: ` ("1.0", "latest", one without a tag)`. */
static void list_names(const struct document *index, struct buffer *text)
{
	buffer_append_text(text, " (");
	for (size_t i = 0; i < index->n_manifests && text->length < LIST_MAX; i++) {
		const char *tag = document_annotation(&index->manifests[i], ANNOTATION_TAG);

		buffer_append_text(text, i ? ", " : "");
		if (tag)
			buffer_printf(text, "\"%.100s\"", tag);
		else
			buffer_append_text(text, "one without a tag");
	}
	buffer_append_text(text, text->length < LIST_MAX ? ")" : ", ...)");
}

static int complain(const struct document *index, const char *tag, unsigned named, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer names = { 0 };

	if (index->n_manifests == 0)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "there is no image in the layout");
	list_names(index, &names);
	if (names.failed)
		return error_memory(err);
	if (tag && named == 0)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "no image has the tag \"%.200s\"%s", tag, names.data);
	return error_set(err, ERROR_NOT_FOUND, ENOENT, "no image for linux/" ARCHITECTURE "%s", names.data);
}

static int complain_of_several(const struct document *index, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer names = { 0 };

	list_names(index, &names);
	if (names.failed)
		return error_memory(err);
	return error_set(err, ERROR_USAGE, EINVAL, "there are several images%s: name one as LAYOUT:TAG", names.data);
}

static int choose_of(struct search *search, const struct document *index, const char *tag,
		     struct document_descriptor *ret, struct error *err)
{
	struct document_descriptor chosen = { 0 }, found;
	unsigned named = 0, fitting = 0;
	int rc;

	for (size_t i = 0; i < index->n_manifests; i++) {
		if (tag && !has_name(&index->manifests[i], tag))
			continue;
		named++;
		rc = find_below(search, &index->manifests[i], 0, &found, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		if (!tag && fitting && (!found.digest || !chosen.digest || strcmp(found.digest, chosen.digest) != 0))
			return complain_of_several(index, err);
		if (!fitting++)
			chosen = found;
	}
	if (!fitting)
		return complain(index, tag, named, err);
	*ret = chosen;
	return 0;
}

int choose_manifest(struct layout *layout, const char *tag, struct arena *arena, struct document_descriptor *ret,
		    struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct search search = { .layout = layout, .arena = arena };
	struct document index = { 0 };
	int rc = layout_read_index(layout, &text, err);

	if (rc == 0) {
		rc = document_decode_index(text.data, text.length, arena, &index, err);
		if (rc < 0)
			return error_prefix(err, "index.json");
	}
	return rc < 0 ? rc : choose_of(&search, &index, tag, ret, err);
}
