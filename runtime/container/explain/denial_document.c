#include "container/explain/denial_document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "container/explain/denial_keeper.h"

#define BYTES_MAX ((size_t)1024 * 1024) /* several times what 256 calls take */

static const struct json_field call_fields[] = {
	{ "architecture", &json_u32, offsetof(struct denial_call, architecture), JSON_REQUIRED },
	{ "number", &json_u32, offsetof(struct denial_call, number), JSON_REQUIRED },
	{ "arguments", &json_strings, JSON_COUNTED(struct denial_call, arguments), JSON_REQUIRED },
	{ "decisive", &json_u32s, JSON_COUNTED(struct denial_call, decisive), JSON_REQUIRED },
	{ "programs", &json_strings, JSON_COUNTED(struct denial_call, programs), JSON_REQUIRED },
	{ "count", &json_u64, offsetof(struct denial_call, count), JSON_REQUIRED },
	{ "first", &json_string, offsetof(struct denial_call, first), JSON_REQUIRED },
	{ "last", &json_string, offsetof(struct denial_call, last), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type call_type = JSON_OBJECT_OF(struct denial_call, call_fields);
static const struct json_type calls_type = JSON_ARRAY_OF(&call_type);

static const struct json_field document_fields[] = {
	{ "state", &json_string, offsetof(struct denial_document, state), JSON_REQUIRED },
	{ "total", &json_u64, offsetof(struct denial_document, total), JSON_REQUIRED },
	{ "others", &json_u64, offsetof(struct denial_document, others), JSON_REQUIRED },
	{ "calls", &calls_type, JSON_COUNTED(struct denial_document, calls), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct denial_document, document_fields);
const struct json_type denial_document_pointer = JSON_POINTER_TO(&document_type);

static int read_file(int dir_fd, const char *name, struct arena *arena, struct denial_document *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct denial_document document = { 0 };
	struct json_input input;
	int rc = file_read_at(dir_fd, name, BYTES_MAX, &text, err);

	if (rc == -ENOENT) {
		*ret = document;
		return 0;
	}
	if (rc < 0)
		return rc;
	input = (struct json_input){ .text = text.data, .length = text.length };
	rc = json_decode(&input, &document_type, &document, arena, err);
	if (rc < 0)
		return error_prefix(err, "read %s", name);
	*ret = document;
	return 0;
}

static int append(struct denial_document *all, const struct denial_document *more, struct arena *arena, struct error *err)
{
	struct denial_call *calls = arena_array_of(arena, all->n_calls + more->n_calls, struct denial_call);

	if (!calls)
		return error_memory(err);
	if (all->n_calls)
		memcpy(calls, all->calls, all->n_calls * sizeof(*calls));
	if (more->n_calls)
		memcpy(calls + all->n_calls, more->calls, more->n_calls * sizeof(*calls));
	all->calls = calls;
	all->n_calls += more->n_calls;
	all->total += more->total;
	all->others += more->others;
	return 0;
}

int denial_document_read(int dir_fd, struct arena *arena, struct denial_document *ret, struct error *err)
{
	struct denial_document all = { 0 };
	int rc = read_file(dir_fd, DENIAL_KEEPER_FILE, arena, &all, err);

	for (unsigned i = 0; rc >= 0 && i < DENIAL_KEEPER_EXECS; i++) {
		struct denial_document exec = { 0 };
		char name[sizeof(DENIAL_KEEPER_EXEC_FILE) + 8];

		snprintf(name, sizeof(name), DENIAL_KEEPER_EXEC_FILE, i);
		rc = read_file(dir_fd, name, arena, &exec, err);
		if (rc >= 0 && exec.total > 0)
			rc = append(&all, &exec, arena, err);
		if (rc >= 0 && exec.total > 0)
			all.has_execs = true;
	}
	if (rc >= 0)
		*ret = all;
	return rc;
}
