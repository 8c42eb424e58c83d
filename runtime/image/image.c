#include "image/image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/choose.h"
#include "image/document.h"
#include "image/layer.h"
#include "image/layout.h"
#include "image/tree.h"

#define BYTES_DEFAULT ((uint64_t)4 * 1024 * 1024 * 1024)
#define ENTRIES_DEFAULT 500000
#define ARENA_MAX ((size_t)64 * 1024 * 1024) /* the documents, decoded: several times their text */

struct image {
	struct layout *layout;
	struct arena *arena; /* of the documents */
	struct document manifest;
	struct document_config config;
};

static int read_manifest(struct image *image, const char *tag, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct document_descriptor descriptor = { 0 };
	int rc = choose_manifest(image->layout, tag, image->arena, &descriptor, err);

	if (rc < 0)
		return rc;
	rc = layout_read_blob(image->layout, &descriptor, &text, err);
	if (rc == 0)
		rc = document_decode_manifest(text.data, text.length, image->arena, &image->manifest, err);
	return rc < 0 ? error_prefix(err, "manifest %.100s", descriptor.digest ?: "") : 0;
}

/* A manifest is found by the index's word on its platform; what counts is the image's own. */
static int check_config(const struct image *image, struct error *err)
{
	const struct document_config *config = &image->config;

	if (!choose_fits(&config->platform))
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "the image is for %.60s/%.60s, this machine is linux/%s",
				 config->platform.os ?: "linux", config->platform.architecture ?: "",
				 choose_architecture());
	if (config->n_diff_ids != image->manifest.n_layers)
		return error_set(err, ERROR_REFUSED, EBADMSG, "%zu diff_ids for %zu layers", config->n_diff_ids,
				 image->manifest.n_layers);
	return 0;
}

static int read_config(struct image *image, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	const struct document_descriptor *descriptor = image->manifest.config;
	int rc = layout_read_blob(image->layout, descriptor, &text, err);

	if (rc == 0)
		rc = document_decode_config(text.data, text.length, image->arena, &image->config, err);
	if (rc == 0)
		rc = check_config(image, err);
	return rc < 0 ? error_prefix(err, "configuration %.100s", descriptor->digest ?: "") : 0;
}

/* From the lowest up. Each with its diff_id: the digest of what comes out of the decoder, which the manifest's, of what goes
 * in, is not. */
static int apply_layers(const struct image *image, struct tree *tree, struct error *err)
{
	const struct document *manifest = &image->manifest;
	int rc;

	for (size_t i = 0; i < manifest->n_layers; i++) {
		rc = layer_apply(image->layout, &manifest->layers[i], image->config.diff_ids[i], tree, err);
		if (rc < 0)
			return error_prefix(err, "layer %zu of %zu", i + 1, manifest->n_layers);
	}
	return 0;
}

static int unpack_layers(const struct image *image, const struct image_request *request, int root_fd, struct error *err)
{
	const struct image_limits *limits = &request->limits;
	struct tree tree = {
		.root_fd = root_fd,
		.keeps_owners = geteuid() == 0,
		.bytes_left = limits->bytes ?: BYTES_DEFAULT,
		.entries_left = limits->entries ?: ENTRIES_DEFAULT,
		.pace = &request->pace,
	};
	/* Folders that no layer has an entry for are to be there for everyone, whatever our caller's mask. */
	mode_t mask = umask(022);
	int rc = apply_layers(image, &tree, err);

	umask(mask);
	tree_done(&tree);
	return rc;
}

/* NULL-terminated. *ret: NULL where there is none. */
static int copy_strings(struct arena *arena, const char *const *strings, size_t n, const char *const **ret)
{
	const char **copy = n ? arena_array_of(arena, n + 1, const char *) : NULL;

	if (n > 0 && !copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = arena_strdup(arena, strings[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

static int copy_string(struct arena *arena, const char *text, const char **ret)
{
	*ret = text ? arena_strdup(arena, text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

/* The documents' arena ends with the call: what is asked for moves into the caller's. */
static int copy_config(const struct document_process *process, struct arena *arena, struct image_config *ret,
		       struct error *err)
{
	struct image_config config = { 0 };

	if (process && (copy_strings(arena, process->entrypoint, process->n_entrypoint, &config.entrypoint) < 0 ||
			copy_strings(arena, process->cmd, process->n_cmd, &config.cmd) < 0 ||
			copy_strings(arena, process->env, process->n_env, &config.env) < 0 ||
			copy_string(arena, process->working_directory, &config.working_directory) < 0 ||
			copy_string(arena, process->user, &config.user) < 0))
		return error_memory(err);
	*ret = config;
	return 0;
}

static int unpack(struct image *image, const struct image_request *request, int root_fd, struct error *err)
{
	int rc = read_manifest(image, request->tag, err);

	if (rc == 0)
		rc = read_config(image, err);
	if (rc == 0)
		rc = unpack_layers(image, request, root_fd, err);
	return rc;
}

int image_unpack(const struct image_request *request, int root_fd, struct arena *arena, struct image_config *ret,
		 struct error *err)
{
	AUTO(layout_free) struct layout *layout = NULL;
	AUTO(arena_free) struct arena *documents = arena_new(ARENA_MAX);
	struct image image = { .arena = documents };
	int rc;

	if (!documents)
		return error_memory(err);
	rc = layout_open(request->layout, &request->pace, &layout, err);
	if (rc == 0) {
		image.layout = layout;
		rc = unpack(&image, request, root_fd, err);
	}
	if (rc == 0)
		rc = copy_config(image.config.process, arena, ret, err);
	return rc < 0 ? error_prefix(err, "image %.300s", request->layout) : 0;
}
