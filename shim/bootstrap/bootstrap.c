#include "shim/bootstrap/bootstrap.h"

#include <string.h>

#include "base/cleanup.h"

#define FIELD_EXTENSIONS 8u

/* BootstrapParams. Source: containerd's api/runtime/bootstrap/v1/bootstrap.proto */
struct params {
	struct wire_bytes instance_id, namespace, version, ttrpc_address, grpc_address, binary, socket_dir;
	uint64_t log_level;
};

static const struct wire_field params_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct params, instance_id) },
	{ 2, WIRE_BYTES, offsetof(struct params, namespace) },
	{ 3, WIRE_NUMBER, offsetof(struct params, log_level) },
	{ 4, WIRE_BYTES, offsetof(struct params, version) },
	{ 5, WIRE_BYTES, offsetof(struct params, ttrpc_address) },
	{ 6, WIRE_BYTES, offsetof(struct params, grpc_address) },
	{ 7, WIRE_BYTES, offsetof(struct params, binary) },
	{ 9, WIRE_BYTES, offsetof(struct params, socket_dir) },
	{ 0 },
};

static const struct wire_field any_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct bootstrap_any, type_url) },
	{ 2, WIRE_BYTES, offsetof(struct bootstrap_any, value) },
	{ 0 },
};

struct extension {
	struct wire_bytes value;
};

static const struct wire_field extension_fields[] = {
	{ 1, WIRE_BYTES, offsetof(struct extension, value) },
	{ 0 },
};

struct bootstrap_any bootstrap_any_decode(struct wire_bytes input)
{
	struct bootstrap_any any = { 0 };

	if (input.length > BOOTSTRAP_STDIN_MAX || wire_decode(input, any_fields, &any) < 0 || any.type_url.length == 0)
		return (struct bootstrap_any){ 0 };
	return any;
}

struct wire_bytes bootstrap_any_type(const struct bootstrap_any *any)
{
	struct wire_bytes name = any->type_url;

	for (size_t i = name.length; i > 0; i--) {
		if (name.data[i - 1] == '/')
			return (struct wire_bytes){ name.data + i, name.length - i };
	}
	return name;
}

/* Those that options_from_any takes: any other Any, of a caller whom we don't know, is left to Create. */
static bool is_options(const struct bootstrap_any *any)
{
	static const char *const types[] = { "runtimeoptions.v1.Options", "containerd.runc.v1.Options" };
	struct wire_bytes name = bootstrap_any_type(any);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (wire_equals(name, types[i]))
			return true;
	}
	return false;
}

/* None where stdin was no Any at all. */
static struct bootstrap_any legacy_options(struct wire_bytes input)
{
	struct bootstrap_any any = bootstrap_any_decode(input);

	return is_options(&any) ? any : (struct bootstrap_any){ 0 };
}

/* Repeated, and so not a matter of the table: each is an Any in a message of its own. */
static int decode_extensions(struct wire_bytes input, struct arena *arena, struct bootstrap *bootstrap)
{
	struct wire_value field;

	bootstrap->extensions = arena_array_of(arena, BOOTSTRAP_EXTENSIONS_MAX, struct bootstrap_any);
	if (!bootstrap->extensions)
		return -ENOMEM;
	while (wire_next(&input, &field) == 1) {
		struct extension extension = { 0 };
		struct bootstrap_any any;

		if (field.number != FIELD_EXTENSIONS)
			continue;
		if (field.kind != WIRE_BYTES || wire_decode(field.bytes, extension_fields, &extension) < 0)
			return -EBADMSG;
		any = bootstrap_any_decode(extension.value);
		if (bootstrap->n_extensions < BOOTSTRAP_EXTENSIONS_MAX)
			bootstrap->extensions[bootstrap->n_extensions++] = any;
		if (is_options(&any))
			bootstrap->options = any;
	}
	return 0;
}

/* A text that is none (NUL, no UTF-8) makes the message malformed. */
static int decode_texts(const struct params *params, struct arena *arena, struct bootstrap *bootstrap)
{
	bootstrap->containerd_version = wire_text(params->version, arena);
	bootstrap->ttrpc_address = wire_text(params->ttrpc_address, arena);
	bootstrap->grpc_address = wire_text(params->grpc_address, arena);
	bootstrap->containerd_binary = wire_text(params->binary, arena);
	bootstrap->socket_dir = wire_text(params->socket_dir, arena);
	if (!bootstrap->containerd_version || !bootstrap->ttrpc_address || !bootstrap->grpc_address ||
	    !bootstrap->containerd_binary || !bootstrap->socket_dir)
		return -EBADMSG;
	return 0;
}

/* ret is set on success alone: what fails here is tried as the older form. */
static int decode_params(struct wire_bytes input, const struct arguments *arguments, struct arena *arena,
			 struct bootstrap *ret)
{
	struct bootstrap bootstrap = { .form = BOOTSTRAP_PARAMS };
	struct params params = { 0 };
	int r;

	if (wire_decode(input, params_fields, &params) < 0)
		return -EBADMSG;
	if (!wire_equals(params.instance_id, arguments->id) || !wire_equals(params.namespace, arguments->namespace))
		return -EBADMSG;
	r = decode_texts(&params, arena, &bootstrap) ?: decode_extensions(input, arena, &bootstrap);
	if (r < 0)
		return r;
	bootstrap.log_level = (int)(int64_t)params.log_level;
	*ret = bootstrap;
	return 0;
}

int bootstrap_decode(struct wire_bytes input, const struct arguments *arguments, struct arena *arena,
		     struct bootstrap *ret, struct error *err)
{
	int r = input.length > BOOTSTRAP_STDIN_MAX ? -EBADMSG : decode_params(input, arguments, arena, ret);

	if (r == -ENOMEM)
		return error_memory(err);
	if (r < 0)
		*ret = (struct bootstrap){ .form = BOOTSTRAP_LEGACY,
					   .options = legacy_options(input),
					   .containerd_version = "",
					   .ttrpc_address = "",
					   .grpc_address = "",
					   .containerd_binary = "",
					   .socket_dir = "" };
	return 0;
}

unsigned bootstrap_version(const struct bootstrap *bootstrap, unsigned options_version)
{
	if (bootstrap->form == BOOTSTRAP_PARAMS)
		return BOOTSTRAP_VERSION;
	return options_version ?: BOOTSTRAP_VERSION_LEGACY;
}
