#include "image/document.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define MARKER_BYTES_MAX 4096
#define LAYOUT_VERSION "1.0.0" /* the only one that there is: image-layout.md */

/* Room for the largest documents of real images, and no more: all that is decoded stays in memory until the image is unpacked. */
static const struct json_limits limits = {
	.bytes = DOCUMENT_BYTES_MAX,
	.string = 128 * 1024,
	.elements = 4096,
	.depth = 16,
};

static const struct json_field platform_fields[] = {
	{ "os", &json_text, offsetof(struct document_platform, os), 0 },
	{ "architecture", &json_text, offsetof(struct document_platform, architecture), 0 },
	{ 0 },
};
static const struct json_type platform_type = JSON_OBJECT_OF(struct document_platform, platform_fields);
static const struct json_type platform_pointer = JSON_POINTER_TO(&platform_type);

static const struct json_field descriptor_fields[] = {
	{ "mediaType", &json_text, offsetof(struct document_descriptor, media_type), 0 },
	{ "digest", &json_text, offsetof(struct document_descriptor, digest), 0 },
	{ "size", &json_opt_u64, offsetof(struct document_descriptor, size), 0 },
	{ "platform", &platform_pointer, offsetof(struct document_descriptor, platform), 0 },
	{ "annotations", &json_pairs, JSON_COUNTED(struct document_descriptor, annotations), 0 },
	{ 0 },
};
static const struct json_type descriptor_type = JSON_OBJECT_OF(struct document_descriptor, descriptor_fields);
static const struct json_type descriptor_pointer = JSON_POINTER_TO(&descriptor_type);
static const struct json_type descriptor_array = JSON_ARRAY_OF(&descriptor_type);

static const struct json_field document_fields[] = {
	{ "schemaVersion", &json_opt_int, offsetof(struct document, schema_version), 0 },
	{ "mediaType", &json_text, offsetof(struct document, media_type), 0 },
	{ "manifests", &descriptor_array, JSON_COUNTED(struct document, manifests), 0 },
	{ "config", &descriptor_pointer, offsetof(struct document, config), 0 },
	{ "layers", &descriptor_array, JSON_COUNTED(struct document, layers), 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

static const struct json_field process_fields[] = {
	{ "User", &json_text, offsetof(struct document_process, user), 0 },
	{ "WorkingDir", &json_text, offsetof(struct document_process, working_directory), 0 },
	{ "Env", &json_strings, JSON_COUNTED(struct document_process, env), 0 },
	{ "Entrypoint", &json_strings, JSON_COUNTED(struct document_process, entrypoint), 0 },
	{ "Cmd", &json_strings, JSON_COUNTED(struct document_process, cmd), 0 },
	{ 0 },
};
static const struct json_type process_type = JSON_OBJECT_OF(struct document_process, process_fields);
static const struct json_type process_pointer = JSON_POINTER_TO(&process_type);

struct rootfs {
	const char *type;
	const char *const *diff_ids;
	size_t n_diff_ids;
};
struct config_document {
	struct document_platform platform;
	const struct document_process *process;
	struct rootfs rootfs;
};

static const struct json_field rootfs_fields[] = {
	{ "type", &json_text, offsetof(struct rootfs, type), 0 },
	{ "diff_ids", &json_strings, JSON_COUNTED(struct rootfs, diff_ids), 0 },
	{ 0 },
};
static const struct json_type rootfs_type = JSON_OBJECT_OF(struct rootfs, rootfs_fields);

static const struct json_field config_fields[] = {
	{ "os", &json_text, offsetof(struct config_document, platform.os), 0 },
	{ "architecture", &json_text, offsetof(struct config_document, platform.architecture), 0 },
	{ "config", &process_pointer, offsetof(struct config_document, process), 0 },
	{ "rootfs", &rootfs_type, offsetof(struct config_document, rootfs), 0 },
	{ 0 },
};
static const struct json_type config_type = JSON_OBJECT_OF(struct config_document, config_fields);

struct marker {
	const char *version;
};
static const struct json_field marker_fields[] = {
	{ "imageLayoutVersion", &json_text, offsetof(struct marker, version), 0 },
	{ 0 },
};
static const struct json_type marker_type = JSON_OBJECT_OF(struct marker, marker_fields);

static int refuse(const char *why, struct error *err)
{
	return error_set(err, ERROR_REFUSED, EBADMSG, "%s", why);
}

/* A document that is no JSON, or of another form, is a damaged image: not a mistake on the command line. */
static int decode(const struct json_input *input, const struct json_type *type, void *target, struct arena *arena,
		  struct error *err)
{
	struct error inner = { 0 };
	int rc = json_decode(input, type, target, arena, &inner);

	if (rc < 0 && inner.kind == ERROR_INVALID)
		return refuse(inner.message, err);
	if (rc < 0 && err)
		*err = inner;
	return rc;
}

int document_decode_marker(const char *text, size_t length, struct error *err)
{
	static const struct json_limits small = { .bytes = MARKER_BYTES_MAX, .string = 256, .elements = 16, .depth = 4 };
	AUTO(arena_free) struct arena *arena = arena_new(16 * 1024);
	struct json_input input = { .text = text, .length = length, .limits = &small };
	struct marker marker = { 0 };
	int rc = arena ? decode(&input, &marker_type, &marker, arena, err) : error_memory(err);

	if (rc < 0)
		return rc;
	if (!marker.version)
		return refuse("no imageLayoutVersion in it", err);
	if (strcmp(marker.version, LAYOUT_VERSION) != 0)
		return error_set(err, ERROR_UNSUPPORTED, ENOTSUP,
				 "version \"%.40s\" of the layout (known: " LAYOUT_VERSION ")", marker.version);
	return 0;
}

static int decode_document(const char *text, size_t length, struct arena *arena, struct document *ret, struct error *err)
{
	struct json_input input = { .text = text, .length = length, .limits = &limits };
	int rc = decode(&input, &document_type, ret, arena, err);

	if (rc < 0)
		return rc;
	if (ret->schema_version.set && ret->schema_version.value != 2)
		return error_set(err, ERROR_UNSUPPORTED, ENOTSUP, "schemaVersion %d (known: 2)",
				 ret->schema_version.value);
	if (ret->n_manifests > 0 && (ret->config || ret->n_layers > 0))
		return refuse("it has manifests and, like no index, config or layers", err);
	return 0;
}

int document_decode_index(const char *text, size_t length, struct arena *arena, struct document *ret, struct error *err)
{
	struct document document = { 0 };
	int rc = decode_document(text, length, arena, &document, err);

	if (rc < 0)
		return rc;
	if (document.config || document.n_layers > 0)
		return refuse("a manifest where an index has to be", err);
	if (document.media_type && document_kind_of(document.media_type) != DOCUMENT_INDEX)
		return error_set(err, ERROR_REFUSED, EBADMSG, "mediaType \"%.100s\" in an index", document.media_type);
	*ret = document;
	return 0;
}

int document_decode_manifest(const char *text, size_t length, struct arena *arena, struct document *ret, struct error *err)
{
	struct document document = { 0 };
	int rc = decode_document(text, length, arena, &document, err);

	if (rc < 0)
		return rc;
	if (document.n_manifests > 0)
		return refuse("an index where a manifest has to be", err);
	if (!document.config)
		return refuse("a manifest without config", err);
	if (document.media_type && document_kind_of(document.media_type) != DOCUMENT_MANIFEST)
		return error_set(err, ERROR_REFUSED, EBADMSG, "mediaType \"%.100s\" in a manifest", document.media_type);
	if (document.n_layers > DOCUMENT_LAYERS_MAX)
		return error_set(err, ERROR_REFUSED, EBADMSG, "%zu layers (at most %d)", document.n_layers,
				 DOCUMENT_LAYERS_MAX);
	*ret = document;
	return 0;
}

int document_decode_config(const char *text, size_t length, struct arena *arena, struct document_config *ret,
			   struct error *err)
{
	struct json_input input = { .text = text, .length = length, .limits = &limits };
	struct config_document document = { 0 };
	int rc = decode(&input, &config_type, &document, arena, err);

	if (rc < 0)
		return rc;
	if (!document.rootfs.type || strcmp(document.rootfs.type, "layers") != 0)
		return refuse("rootfs.type is not \"layers\": this is no configuration of an image", err);
	*ret = (struct document_config){
		.platform = document.platform,
		.process = document.process,
		.diff_ids = document.rootfs.diff_ids,
		.n_diff_ids = document.rootfs.n_diff_ids,
	};
	return 0;
}

/* OCI's types and those of Docker's that are the same documents under other names (image-spec, media-types.md "Compatibility
 * Matrix"). */
enum document_kind document_kind_of(const char *media_type)
{
	static const struct {
		const char *name;
		enum document_kind kind;
	} types[] = {
		{ "application/vnd.oci.image.index.v1+json", DOCUMENT_INDEX },
		{ "application/vnd.docker.distribution.manifest.list.v2+json", DOCUMENT_INDEX },
		{ "application/vnd.oci.image.manifest.v1+json", DOCUMENT_MANIFEST },
		{ "application/vnd.docker.distribution.manifest.v2+json", DOCUMENT_MANIFEST },
	};

	for (size_t i = 0; media_type && i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, media_type) == 0)
			return types[i].kind;
	}
	return DOCUMENT_OTHER;
}

/* "nondistributable" and "foreign" say who may hand a layer on, and nothing of how it is packed. */
enum document_layer document_layer_of(const char *media_type)
{
	static const struct {
		const char *name;
		enum document_layer layer;
	} types[] = {
		{ "application/vnd.oci.image.layer.v1.tar", DOCUMENT_LAYER_TAR },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", DOCUMENT_LAYER_GZIP },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", DOCUMENT_LAYER_ZSTD },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", DOCUMENT_LAYER_TAR },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", DOCUMENT_LAYER_GZIP },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", DOCUMENT_LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.diff.tar", DOCUMENT_LAYER_TAR },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", DOCUMENT_LAYER_GZIP },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", DOCUMENT_LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar", DOCUMENT_LAYER_TAR },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", DOCUMENT_LAYER_GZIP },
	};

	for (size_t i = 0; media_type && i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, media_type) == 0)
			return types[i].layer;
	}
	return DOCUMENT_LAYER_OTHER;
}

const char *document_annotation(const struct document_descriptor *descriptor, const char *name)
{
	for (size_t i = 0; i < descriptor->n_annotations; i++) {
		if (strcmp(descriptor->annotations[i].name, name) == 0)
			return descriptor->annotations[i].value;
	}
	return NULL;
}
