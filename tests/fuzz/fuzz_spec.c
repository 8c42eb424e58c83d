/* libFuzzer: any bytes as config.json, as a process object, as resources. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "spec/spec.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_config(const char *text, size_t length)
{
	AUTO(spec_free) struct spec *spec = NULL;
	struct error err = { 0 };
	int r = spec_parse(text, length, &spec, &err);

	if ((r == 0) != (spec != NULL) || (r < 0 && (err.kind == ERROR_NONE || !err.message[0])))
		abort();
}

static void as_part(const char *text, size_t length, bool is_process)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct spec_resources resources;
	struct spec_process process;
	struct error err = { 0 };

	if (!arena)
		return;
	if (is_process)
		spec_parse_process(text, length, arena, &process, &err);
	else
		spec_parse_resources(text, length, arena, &resources, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A document begins with "{": the corpus can hold plain config.json files. */
	if (size > 0 && (data[0] == 'p' || data[0] == 'r'))
		as_part((const char *)data + 1, size - 1, data[0] == 'p');
	else
		as_config((const char *)data, size);
	return 0;
}
