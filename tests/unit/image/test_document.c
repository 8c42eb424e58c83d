#include <string.h>

#include <criterion/criterion.h>

#include "base/buffer.h"
#include "image/digest.h"
#include "image/document.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

Test(document, manifest)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\","
		"\"config\":{\"digest\":\"sha256:c\",\"size\":1},"
		"\"layers\":[{\"mediaType\":\"m\",\"digest\":\"sha256:l\",\"size\":2,\"urls\":[\"x\"],\"annotations\":{\"a\":\"b\"}}],"
		"\"subject\":{},\"artifactType\":\"y\"}";
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	struct document document = { 0 };
	struct error err = { 0 };

	cr_assert_eq(document_decode_manifest(text, strlen(text), arena, &document, &err), 0, "%s", err.message);
	cr_expect_eq(document.n_layers, 1);
	cr_expect_str_eq(document.layers[0].digest, "sha256:l");
	cr_expect_eq(document.layers[0].size.value, 2);
	cr_expect_str_eq(document.config->digest, "sha256:c");
	cr_expect_str_eq(document_annotation(&document.layers[0], "a"), "b");
	cr_expect_null(document_annotation(&document.layers[0], "c"));
}

Test(document, a_manifest_is_no_index)
{
	static const char *const list[] = {
		"{\"manifests\":[{}]}",
		"{\"manifests\":[{}],\"config\":{}}",
		"{\"layers\":[]}",
		"{\"config\":{},\"mediaType\":\"application/vnd.oci.image.index.v1+json\"}",
		"{\"config\":{},\"mediaType\":\"text/plain\"}",
		"{\"config\":[]}",
		"null",
		"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
		struct document document = { .media_type = "untouched" };
		struct error err = { 0 };

		cr_expect_lt(document_decode_manifest(list[i], strlen(list[i]), arena, &document, &err), 0, "%s",
			     list[i]);
		cr_expect_eq(err.kind, ERROR_REFUSED, "%s: %s", list[i], err.message);
		cr_expect_str_eq(document.media_type, "untouched");
	}
}

Test(document, too_many_layers)
{
	AUTO(arena_free) struct arena *arena = arena_new(1 << 20);
	struct buffer text = { 0 };
	struct document document = { 0 };
	struct error err = { 0 };

	buffer_append_text(&text, "{\"config\":{},\"layers\":[{}");
	for (unsigned i = 0; i < DOCUMENT_LAYERS_MAX; i++)
		buffer_append_text(&text, ",{}");
	buffer_append_text(&text, "]}");
	cr_expect_lt(document_decode_manifest(text.data, text.length, arena, &document, &err), 0);
	cr_expect_not_null(strstr(err.message, "257 layers"), "%s", err.message);
	buffer_done(&text);
}

Test(document, config_of_something_else)
{
	static const char text[] = "{\"os\":\"linux\",\"config\":{}}";
	AUTO(arena_free) struct arena *arena = arena_new(1 << 16);
	struct document_config config = { 0 };
	struct error err = { 0 };

	cr_expect_lt(document_decode_config(text, strlen(text), arena, &config, &err), 0);
	cr_expect_not_null(strstr(err.message, "rootfs.type"), "%s", err.message);
}

Test(document, media_types)
{
	cr_expect_eq(document_kind_of(NULL), DOCUMENT_OTHER);
	cr_expect_eq(document_kind_of("application/vnd.oci.image.index.v1+json"), DOCUMENT_INDEX);
	cr_expect_eq(document_kind_of("application/vnd.oci.image.index.v1+jsonx"), DOCUMENT_OTHER);
	cr_expect_eq(document_layer_of(NULL), DOCUMENT_LAYER_OTHER);
	cr_expect_eq(document_layer_of("application/vnd.docker.image.rootfs.diff.tar.gzip"), DOCUMENT_LAYER_GZIP);
	cr_expect_eq(document_layer_of("application/vnd.oci.image.layer.v1.tar"), DOCUMENT_LAYER_TAR);
}

Test(digest, of_known_text)
{
	struct digest digest;
	struct error err = { 0 };

	cr_assert_eq(digest_parse("sha256:" ABC, &digest, &err), 0, "%s", err.message);
	cr_expect_str_eq(digest.hex, ABC);
	cr_expect_eq(digest_check(&digest, "abc", 3, &err), 0, "%s", err.message);
	cr_expect_lt(digest_check(&digest, "abd", 3, &err), 0);
	cr_expect_eq(err.kind, ERROR_REFUSED);
	cr_expect_lt(digest_check(&digest, "abc", 2, &err), 0);
}

Test(digest, refuses)
{
	static const char *const list[] = { NULL,
					    "",
					    "sha256",
					    "sha256:",
					    ABC,
					    "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
					    "sha256:/../16bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
					    "sha256:" ABC " " };

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct digest digest = { .hex = "untouched" };
		struct error err = { 0 };

		cr_expect_lt(digest_parse(list[i], &digest, &err), 0, "%s", list[i]);
		cr_expect_str_eq(digest.hex, "untouched");
	}
}
