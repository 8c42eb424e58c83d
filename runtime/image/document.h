/* The JSON documents of an image (image-spec 1.1: image-index.md, manifest.md, config.md), decoded and checked by themselves.
 * Docker's media types are the same documents. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

#define DOCUMENT_BYTES_MAX ((size_t)4 * 1024 * 1024) /* as registries have it */
#define DOCUMENT_LAYERS_MAX 256			     /* twice what any builder makes */

struct document_platform {
	const char *os, *architecture; /* or NULL */
};

struct document_descriptor {
	const char *media_type, *digest; /* or NULL */
	struct opt_u64 size;
	const struct document_platform *platform; /* or NULL */
	const struct json_pair *annotations;
	size_t n_annotations;
};

/* An index has manifests, a manifest has config and layers: one that has both would mean one thing to one program and another to
 * the next (CVE-2021-41190), and is refused. */
struct document {
	struct opt_int schema_version;
	const char *media_type; /* or NULL */
	const struct document_descriptor *manifests;
	size_t n_manifests;
	const struct document_descriptor *config;
	const struct document_descriptor *layers;
	size_t n_layers;
};

struct document_process {
	const char *user, *working_directory; /* or NULL */
	const char *const *env;
	size_t n_env;
	const char *const *entrypoint;
	size_t n_entrypoint;
	const char *const *cmd;
	size_t n_cmd;
};

struct document_config {
	struct document_platform platform;
	const struct document_process *process; /* or NULL */
	const char *const *diff_ids;
	size_t n_diff_ids;
};

enum document_kind {
	DOCUMENT_INDEX,
	DOCUMENT_MANIFEST,
	DOCUMENT_OTHER,
};

/* How a layer is packed. */
enum document_layer {
	DOCUMENT_LAYER_TAR,
	DOCUMENT_LAYER_GZIP,
	DOCUMENT_LAYER_ZSTD,
	DOCUMENT_LAYER_OTHER,
};

/* Each: 0 or a negative errno, ERROR_REFUSED for what is malformed. What ret points to lives in arena. */
int document_decode_marker(const char *text, size_t length, struct error *err); /* the file oci-layout */
int document_decode_index(const char *text, size_t length, struct arena *arena, struct document *ret, struct error *err);
int document_decode_manifest(const char *text, size_t length, struct arena *arena, struct document *ret,
			     struct error *err);
int document_decode_config(const char *text, size_t length, struct arena *arena, struct document_config *ret,
			   struct error *err);

/* By the media type alone, never by the content. NULL, and what is not listed: _OTHER. */
enum document_kind document_kind_of(const char *media_type);
enum document_layer document_layer_of(const char *media_type);
/* The annotation's value, or NULL. */
const char *document_annotation(const struct document_descriptor *descriptor, const char *name);
