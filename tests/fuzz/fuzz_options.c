/* libFuzzer: any bytes as a handler's TOML; after a first byte below 4 as the Any of options, stdin of start, or a bundle. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "shim/bootstrap/address.h"
#include "shim/bootstrap/bootstrap.h"
#include "shim/service/options.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)

enum kind { KIND_RUNTIME_OPTIONS, KIND_RUNC_OPTIONS, KIND_STDIN, KIND_BUNDLE, KIND_TOML };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode_any(const char *type, size_t type_length, struct wire_bytes value, struct arena *arena)
{
	const struct bootstrap_any any = { { (const uint8_t *)type, type_length }, value };
	struct options options;
	struct error err = { 0 };
	int r = options_from_any(&any, arena, &options, &err);

	return (r < 0) == (err.kind != ERROR_NONE) ? 0 : -1;
}

static int decode_stdin(struct wire_bytes input, struct arena *arena)
{
	const struct arguments arguments = { .id = "x", .namespace = "n" };
	struct bootstrap bootstrap = { 0 };
	struct error err = { 0 };

	if (bootstrap_decode(input, &arguments, arena, &bootstrap, &err) < 0)
		return err.kind == ERROR_INTERNAL ? 0 : -1;
	return bootstrap.ttrpc_address ? 0 : -1;
}

static int decode(enum kind kind, struct wire_bytes input, struct arena *arena)
{
	static const char runtime[] = "runtimeoptions.v1.Options", runc[] = "containerd.runc.v1.Options";
	const struct address_config config = { (const char *)input.data, input.length };
	struct options options;
	struct error err = { 0 };
	const char *group;

	switch (kind) {
	case KIND_RUNTIME_OPTIONS:
		return decode_any(runtime, sizeof(runtime) - 1, input, arena);
	case KIND_RUNC_OPTIONS:
		return decode_any(runc, sizeof(runc) - 1, input, arena);
	case KIND_STDIN:
		return decode_stdin(input, arena);
	case KIND_BUNDLE:
		return (address_group(config, "x", arena, &group, &err) < 0) == (err.kind != ERROR_NONE) ? 0 : -1;
	case KIND_TOML:
		break;
	}
	return (options_from_toml(config.json, config.length, arena, &options, &err) < 0) == (err.kind != ERROR_NONE)
		       ? 0
		       : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* TOML has no such control characters: the corpus can hold plain files. */
	const enum kind kind = size > 0 && data[0] < KIND_TOML ? (enum kind)data[0] : KIND_TOML;
	const size_t skip = kind == KIND_TOML ? 0 : 1;
	struct arena *arena = arena_new(ARENA_MAX);

	if (arena && decode(kind, (struct wire_bytes){ data + skip, size - skip }, arena) < 0)
		abort();
	arena_free(arena);
	return 0;
}
