/* libFuzzer: any bytes as each of an image's JSON documents. A first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/digest.h"
#include "image/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_descriptor(const struct document_descriptor *descriptor)
{
	struct error err = { 0 };
	struct digest digest;

	document_kind_of(descriptor->media_type);
	document_layer_of(descriptor->media_type);
	document_annotation(descriptor, "org.opencontainers.image.ref.name");
	if (digest_parse(descriptor->digest, &digest, &err) == 0 &&
	    strspn(digest.hex, "0123456789abcdef") != sizeof(digest.hex) - 1)
		abort();
}

static void check_document(const struct document *document, bool is_index)
{
	if (is_index ? document->config || document->n_layers > 0 : document->n_manifests > 0 || !document->config)
		abort();
	for (size_t i = 0; i < document->n_manifests; i++)
		check_descriptor(&document->manifests[i]);
	for (size_t i = 0; i < document->n_layers; i++)
		check_descriptor(&document->layers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
	const char *text = (const char *)data + 1;
	struct document_config config = { 0 };
	struct document document = { 0 };
	struct error err = { 0 };

	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		if (document_decode_index(text, size - 1, arena, &document, &err) == 0)
			check_document(&document, true);
		break;
	case 1:
		if (document_decode_manifest(text, size - 1, arena, &document, &err) == 0)
			check_document(&document, false);
		break;
	case 2:
		document_decode_config(text, size - 1, arena, &config, &err);
		break;
	default:
		document_decode_marker(text, size - 1, &err);
		break;
	}
	return 0;
}
