#include "spec/spec.h"

#include "base/file.h"
#include "spec/spec_types.h"
#include "spec/spec_validate.h"

/* Structs take more room than their text ("{}," is a mount); this holds the largest document that means something. */
#define ARENA_MAX ((size_t)64 * 1024 * 1024)

void spec_free(struct spec *spec)
{
	/* The spec itself lies in its arena. */
	if (spec)
		arena_free(spec->arena);
}

static const struct json_limits limits = { .bytes = SPEC_BYTES_MAX };

static struct json_input input_of(const char *text, size_t length)
{
	return (struct json_input){ .text = text, .length = length, .limits = &limits };
}

int spec_parse(const char *text, size_t length, struct spec **ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	struct spec *spec = arena ? arena_new_of(arena, struct spec) : NULL;
	const struct json_input input = input_of(text, length);
	int r;

	if (!spec)
		return error_memory(err);
	r = json_decode(&input, &spec_type, spec, arena, err);
	if (r == 0)
		r = spec_validate(spec, err);
	if (r < 0)
		return r;
	spec->arena = steal_ptr(&arena);
	*ret = spec;
	return 0;
}

int spec_parse_process(const char *text, size_t length, struct arena *arena, struct spec_process *ret, struct error *err)
{
	const struct json_input input = input_of(text, length);
	struct spec_process process = { 0 };
	int r = json_decode(&input, &spec_type_process, &process, arena, err);

	if (r == 0)
		r = spec_validate_process(&process, "", err);
	if (r < 0)
		return r;
	*ret = process;
	return 0;
}

int spec_parse_resources(const char *text, size_t length, struct arena *arena, struct spec_resources *ret,
			 struct error *err)
{
	const struct json_input input = input_of(text, length);
	struct spec_resources resources = { 0 };
	int r = json_decode(&input, &spec_type_resources, &resources, arena, err);

	if (r == 0)
		r = spec_validate_resources(&resources, "", err);
	if (r < 0)
		return r;
	*ret = resources;
	return 0;
}

int spec_load(int bundle_fd, const char *name, struct spec **ret, struct buffer *ret_text, struct error *err)
{
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	int r = file_read_at(bundle_fd, name, SPEC_BYTES_MAX, &text, err);

	if (r < 0)
		return r;
	r = spec_parse(text.data ?: "", text.length, ret, err);
	if (r < 0)
		return error_prefix(err, "%.200s", name);
	if (ret_text) {
		*ret_text = text;
		text = (struct buffer){ 0 };
	}
	return 0;
}
