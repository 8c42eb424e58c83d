#include "tests/unit/image/layout_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sha2.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fd.h"
#include "image/choose.h"
#include "tests/unit/image/tar_fixture.h"

struct layout_fixture layout_fixture_new(void)
{
	struct layout_fixture fixture = { .scratch = scratch_new(), .arena = arena_new(1 << 20) };

	scratch_drop_root(&fixture.scratch);
	scratch_directory(&fixture.scratch, "layout");
	scratch_directory(&fixture.scratch, "layout/blobs");
	scratch_directory(&fixture.scratch, "layout/blobs/sha256");
	scratch_directory(&fixture.scratch, "root");
	scratch_directory(&fixture.scratch, "outside");
	scratch_file(&fixture.scratch, "outside/secret", "secret", 0600);
	return fixture;
}

void layout_fixture_done(struct layout_fixture *fixture)
{
	scratch_done(&fixture->scratch);
	buffer_done(&fixture->tar);
	buffer_done(&fixture->manifests);
	arena_free(fixture->arena);
}

static void write_file(const struct layout_fixture *fixture, const char *path, const void *data, size_t length)
{
	int fd = openat(fixture->scratch.fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(fd_write_all(fd, data, length), 0);
	close(fd);
}

void layout_fixture_file(struct layout_fixture *fixture, const char *name, const void *data, size_t length)
{
	char path[256];

	snprintf(path, sizeof(path), "layout/%s", name);
	write_file(fixture, path, data, length);
	snprintf(path, sizeof(path), "./%s", name);
	tar_fixture_add(&fixture->tar, &(struct tar_member){ .name = path, .content = data, .length = length });
}

static void digest_of(const void *data, size_t length, char hex[static 65])
{
	uint8_t bytes[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, data, length);
	SHA256Final(bytes, &context);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void layout_fixture_blob(struct layout_fixture *fixture, const void *data, size_t length, char hex[static 65])
{
	char name[128];

	digest_of(data, length, hex);
	snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	layout_fixture_file(fixture, name, data, length);
}

static void pack_gzip(const struct buffer *archive, struct buffer *ret)
{
	z_stream stream = { .next_in = (Bytef *)archive->data, .avail_in = (uInt)archive->length };

	ret->limit = (size_t)256 << 20;
	cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(buffer_reserve(ret, deflateBound(&stream, archive->length)), 0);
	stream.next_out = (Bytef *)ret->data;
	stream.avail_out = (uInt)ret->capacity;
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	ret->length = stream.total_out;
	deflateEnd(&stream);
}

static void pack_zstd(const struct buffer *archive, struct buffer *ret)
{
	size_t length;

	ret->limit = (size_t)256 << 20;
	cr_assert_eq(buffer_reserve(ret, ZSTD_compressBound(archive->length)), 0);
	length = ZSTD_compress(ret->data, ret->capacity, archive->data, archive->length, 3);
	cr_assert_not(ZSTD_isError(length));
	ret->length = length;
}

void layout_fixture_pack(const struct buffer *archive, enum document_layer kind, struct buffer *ret)
{
	if (kind == DOCUMENT_LAYER_GZIP)
		pack_gzip(archive, ret);
	else if (kind == DOCUMENT_LAYER_ZSTD)
		pack_zstd(archive, ret);
	else
		buffer_append(ret, archive->data, archive->length);
}

static const char *type_of(const struct fixture_image *image, size_t i)
{
	static const char *const types[] = {
		[DOCUMENT_LAYER_TAR] = "application/vnd.oci.image.layer.v1.tar",
		[DOCUMENT_LAYER_GZIP] = "application/vnd.docker.image.rootfs.diff.tar.gzip",
		[DOCUMENT_LAYER_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
	};

	return i == 0 && image->layer_type ? image->layer_type : types[image->kinds[i]];
}

/* The layers' blobs, their descriptors and diff_ids. */
static void add_layers(struct layout_fixture *fixture, const struct fixture_image *image, struct buffer *descriptors,
		       struct buffer *diff_ids)
{
	for (size_t i = 0; i < FIXTURE_LAYERS && image->layers[i]; i++) {
		__attribute__((cleanup(buffer_done_cleanup))) struct buffer packed = { 0 };
		char diff_id[65], hex[65];

		digest_of(image->layers[i]->data, image->layers[i]->length, diff_id);
		layout_fixture_pack(image->layers[i], image->kinds[i], &packed);
		layout_fixture_blob(fixture, packed.data, packed.length, hex);
		buffer_printf(diff_ids, "%s\"sha256:%s\"", i ? "," : "",
			      i == 0 && image->diff_id ? image->diff_id : diff_id);
		buffer_printf(descriptors, "%s{\"mediaType\":\"%s\",\"digest\":\"%s%s\",\"size\":%zu}", i ? "," : "",
			      type_of(image, i), i == 0 && image->layer_digest ? "" : "sha256:",
			      i == 0 && image->layer_digest ? image->layer_digest : hex,
			      packed.length + (size_t)(i == 0 ? image->layer_size : 0));
	}
	for (unsigned i = 0; i < image->more_diff_ids; i++)
		buffer_printf(diff_ids, "%s\"sha256:%064d\"", diff_ids->length ? "," : "", 0);
}

void layout_fixture_image(struct layout_fixture *fixture, const struct fixture_image *image, struct buffer *descriptors)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer layers = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer diff_ids = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer config = { 0 };
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer manifest = { 0 };
	char hex[65];

	buffer_append_text(&layers, "");
	buffer_append_text(&diff_ids, "");
	add_layers(fixture, image, &layers, &diff_ids);
	buffer_printf(
		&config,
		"{\"os\":\"linux\",\"architecture\":\"%s\",%s%s%s\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
		image->architecture ? image->architecture : choose_architecture(), image->process ? "\"config\":" : "",
		image->process ? image->process : "", image->process ? "," : "", diff_ids.data);
	layout_fixture_blob(fixture, config.data, config.length, hex);
	buffer_printf(&manifest,
		      "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":"
		      "\"sha256:%s\",\"size\":%zu},\"layers\":[%s]}",
		      hex, config.length, layers.data);
	layout_fixture_blob(fixture, manifest.data, manifest.length, hex);
	buffer_printf(
		descriptors,
		"%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu",
		descriptors->length ? "," : "", hex, manifest.length);
	if (image->platform)
		buffer_printf(descriptors, ",\"platform\":{%s}", image->platform);
	if (image->tag)
		buffer_printf(descriptors, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", image->tag);
	buffer_append_text(descriptors, "}");
}

void layout_fixture_finish(struct layout_fixture *fixture)
{
	static const char marker[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer index = { 0 };

	buffer_printf(&index, "{\"schemaVersion\":2,\"manifests\":[%s]}",
		      fixture->manifests.data ? fixture->manifests.data : "");
	layout_fixture_file(fixture, "oci-layout", marker, strlen(marker));
	layout_fixture_file(fixture, "index.json", index.data, index.length);
	tar_fixture_end(&fixture->tar);
	write_file(fixture, "layout.tar", fixture->tar.data, fixture->tar.length);
}

int layout_fixture_unpack(struct layout_fixture *fixture, const char *name, const char *tag, struct image_config *ret,
			  struct error *err)
{
	char path[256];
	struct image_request request = { .layout = path, .tag = tag };
	int root_fd = openat(fixture->scratch.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	cr_assert_geq(root_fd, 0);
	snprintf(path, sizeof(path), "%s/%s", fixture->scratch.path, name);
	rc = image_unpack(&request, root_fd, fixture->arena, ret, err);
	close(root_fd);
	return rc;
}
