#include "audit/audit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/trail.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"

#define ENTRY_ARENA ((size_t)1024 * 1024)

struct document {
	const char *time, *event, *id, *exec_id, *error;
	struct {
		const char *pod, *namespace, *container, *image;
	} workload;
	struct {
		const char *name;
	} policy;
	struct {
		uint64_t oom_kills;
	} usage;
	struct opt_i64 status;
};

#define AT(member) offsetof(struct document, member)

/* The parts lie in the document itself. */
static const struct json_field workload_fields[] = {
	{ "pod", &json_string, AT(workload.pod), 0 },
	{ "namespace", &json_string, AT(workload.namespace), 0 },
	{ "container", &json_string, AT(workload.container), 0 },
	{ "image", &json_string, AT(workload.image), 0 },
	{ 0 },
};
static const struct json_type workload_type = JSON_OBJECT_OF(struct document, workload_fields);

static const struct json_field policy_fields[] = {
	{ "name", &json_string, AT(policy.name), 0 },
	{ 0 },
};
static const struct json_type policy_type = JSON_OBJECT_OF(struct document, policy_fields);

static const struct json_field usage_fields[] = {
	{ "oom_kills", &json_u64, AT(usage.oom_kills), 0 },
	{ 0 },
};
static const struct json_type usage_type = JSON_OBJECT_OF(struct document, usage_fields);

static const struct json_field document_fields[] = {
	{ "time", &json_string, AT(time), JSON_REQUIRED },
	{ "event", &json_string, AT(event), JSON_REQUIRED },
	{ "id", &json_string, AT(id), 0 },
	{ "exec", &json_string, AT(exec_id), 0 },
	{ "error", &json_string, AT(error), 0 },
	{ "status", &json_opt_i64, AT(status), 0 },
	{ "workload", &workload_type, 0, 0 },
	{ "policy", &policy_type, 0, 0 },
	{ "usage", &usage_type, 0, 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

static int take_line(struct audit_reader *reader, const char *line, size_t length, struct error *err)
{
	static const struct json_limits limits = { .bytes = AUDIT_LINE_MAX, .elements = 4096, .depth = 6 };
	const struct json_input input = { .text = line, .length = length, .limits = &limits };
	AUTO(arena_free) struct arena *arena = arena_new(ENTRY_ARENA);
	struct document document = { 0 };
	struct audit_entry entry;

	if (!arena)
		return error_memory(err);
	if (json_decode(&input, &document_type, &document, arena, NULL) < 0) {
		reader->n_broken++;
		return 0;
	}
	entry = (struct audit_entry){
		.time = document.time,
		.event = document.event,
		.id = document.id ?: "",
		.exec_id = document.exec_id ?: "",
		.pod = document.workload.pod ?: "",
		.namespace = document.workload.namespace ?: "",
		.container = document.workload.container ?: "",
		.image = document.workload.image ?: "",
		.policy = document.policy.name ?: "",
		.error = document.error ?: "",
		.has_status = document.status.set,
		.status = document.status.value,
		.oom_kills = document.usage.oom_kills,
		.line = line,
		.length = length,
	};
	return reader->take(reader->context, &entry, err);
}

/* Hands on the whole lines of text; *ret_left is what of a last one follows them. */
static int take_lines(struct audit_reader *reader, const char *text, size_t length, size_t *ret_left, struct error *err)
{
	const char *newline;
	int rc = 0;

	while (rc >= 0 && (newline = memchr(text, '\n', length))) {
		rc = take_line(reader, text, (size_t)(newline - text), err);
		length -= (size_t)(newline - text) + 1;
		text = newline + 1;
	}
	*ret_left = length;
	return rc;
}

static int read_file(struct audit_reader *reader, int fd, struct error *err)
{
	AUTO_FREE char *text = malloc(2 * AUDIT_LINE_MAX);
	size_t length = 0, left;
	ssize_t n;
	int rc;

	if (!text)
		return error_memory(err);
	for (;;) {
		n = read(fd, text + length, 2 * AUDIT_LINE_MAX - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? error_system(err, errno, "read the audit trail %s", reader->path) : 0;
		length += (size_t)n;
		rc = take_lines(reader, text, length, &left, err);
		if (rc < 0)
			return rc;
		memmove(text, text + length - left, left);
		length = left;
		/* No line of ours is that long: what follows up to the next newline is passed over with it. */
		if (length >= AUDIT_LINE_MAX) {
			reader->n_broken++;
			length = 0;
		}
	}
}

/* fds[0] is the current file, the oldest is the last. */
static int open_files(const char *path, int fds[static AUDIT_KEEP_MAX + 1], struct error *err)
{
	AUTO_CLOSE int dir_fd = trail_open_directory(path, /* make= */ false, /* shared= */ true, err);
	char directory[PATH_MAX], name[NAME_MAX + 1], numbered[NAME_MAX + 16];
	int rc = dir_fd < 0 ? dir_fd : trail_split(path, directory, name, err);
	bool found = false;

	if (rc == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT,
				 "there is no audit trail %s: the policy has none written, or nothing has happened",
				 path);
	for (unsigned i = 0; rc >= 0 && i <= AUDIT_KEEP_MAX; i++) {
		snprintf(numbered, sizeof(numbered), i ? "%s.%u" : "%s", name, i);
		rc = fds[i] = trail_open_file(dir_fd, numbered, O_RDONLY, NULL, err);
		if (rc == -ENOENT)
			rc = 0;
		found |= fds[i] >= 0;
	}
	if (rc >= 0 && !found)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "there is no audit trail %s: nothing has happened", path);
	return rc;
}

int audit_read(struct audit_reader *reader, struct error *err)
{
	int fds[AUDIT_KEEP_MAX + 1], rc;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = -EBADF;
	/* All at once and under the lock: a rotation in between would show a file twice, or never. */
	rc = open_files(reader->path, fds, err);
	for (size_t i = ARRAY_SIZE(fds); rc >= 0 && i > 0; i--) {
		if (fds[i - 1] >= 0)
			rc = read_file(reader, fds[i - 1], err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_and_reset(&fds[i]);
	return rc;
}
