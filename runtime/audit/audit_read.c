#include "audit/audit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/trail.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"

#define ENTRY_ARENA ((size_t)1024 * 1024)

struct document {
	const char *time, *event, *id, *exec_id, *error, *ended_by, *reason, *rule;
	uint64_t took_usec, denials, egress_denials;
	const struct audit_entry_denied *denied;
	size_t n_denied;
	const struct audit_entry_report *report;
	size_t n_report;
	struct {
		const char *pod, *namespace, *container, *image;
	} workload;
	struct {
		const char *name;
	} policy;
	struct {
		uint64_t oom_kills;
	} usage;
	struct {
		bool allowed;
	} request;
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

static const struct json_field request_fields[] = {
	{ "allowed", &json_bool, AT(request.allowed), 0 },
	{ 0 },
};
static const struct json_type request_type = JSON_OBJECT_OF(struct document, request_fields);

static const struct json_field denied_fields[] = {
	{ "call", &json_string, offsetof(struct audit_entry_denied, call), 0 },
	{ "count", &json_u64, offsetof(struct audit_entry_denied, count), 0 },
	{ 0 },
};
static const struct json_type denied_type = JSON_OBJECT_OF(struct audit_entry_denied, denied_fields);
static const struct json_type denied_list_type = JSON_ARRAY_OF(&denied_type);

static const struct json_field report_fields[] = {
	{ "rule", &json_string, offsetof(struct audit_entry_report, rule), 0 },
	{ "level", &json_string, offsetof(struct audit_entry_report, level), 0 },
	{ 0 },
};
static const struct json_type report_type = JSON_OBJECT_OF(struct audit_entry_report, report_fields);
static const struct json_type report_list_type = JSON_ARRAY_OF(&report_type);

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
	{ "ended_by", &json_string, AT(ended_by), 0 },
	{ "reason", &json_string, AT(reason), 0 },
	{ "rule", &json_string, AT(rule), 0 },
	{ "took_usec", &json_u64, AT(took_usec), 0 },
	{ "denials", &json_u64, AT(denials), 0 },
	{ "egress_denials", &json_u64, AT(egress_denials), 0 },
	{ "request", &request_type, 0, 0 },
	{ "denied", &denied_list_type, JSON_COUNTED(struct document, denied), 0 },
	{ "report", &report_list_type, JSON_COUNTED(struct document, report), 0 },
	{ 0 },
};
static const struct json_type document_type = JSON_OBJECT_OF(struct document, document_fields);

/* A line that is not brig's is counted and passed over: one bad line must not hide what follows it. */
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
		.ended_by = document.ended_by ?: "",
		.reason = document.reason ?: "",
		.rule = document.rule ?: "",
		.took_usec = document.took_usec,
		.denials = document.denials,
		.egress_denials = document.egress_denials,
		.is_request_allowed = document.request.allowed,
		.denied = document.denied,
		.n_denied = document.n_denied,
		.report = document.report,
		.n_report = document.n_report,
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

/* *ret_end: where the last whole line ends. */
static int read_file(struct audit_reader *reader, int fd, uint64_t *ret_end, struct error *err)
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
		*ret_end += length - left;
		memmove(text, text + length - left, left);
		length = left;
		/* No line of ours is that long: what follows up to the next newline is passed over with it. */
		if (length >= AUDIT_LINE_MAX) {
			reader->n_broken++;
			*ret_end += length;
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

/* How a file begins; "" for an empty one. A file is known by its first line's beginning (which has a time to the nanosecond),
 * not by its name or inode: rotation changes the name, and a copy to another machine the inode. */
static void identify(int fd, char file[static AUDIT_POSITION_FILE])
{
	ssize_t n = pread(fd, file, AUDIT_POSITION_FILE - 1, 0);

	file[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i++) {
		if (file[i] < 0x20 || file[i] > 0x7e)
			file[i] = '?';
	}
}

/* Reads on from where it ended, if that was in this file. */
static int read_from(struct audit_reader *reader, int fd, struct audit_position *position, struct error *err)
{
	struct audit_position here = { 0 };
	int rc;

	identify(fd, here.file);
	if (strcmp(here.file, position->file) == 0)
		here.offset = position->offset;
	if (lseek(fd, (off_t)here.offset, SEEK_SET) < 0)
		return error_system(err, errno, "seek in the audit trail %s", reader->path);
	rc = read_file(reader, fd, &here.offset, err);
	/* A file without a whole line may yet begin in another way. */
	if (rc >= 0 && here.offset > 0)
		*position = here;
	return rc;
}

/* The number of the file that position is in; beyond the last one where it is in none. */
static size_t first_file(const int fds[static AUDIT_KEEP_MAX + 1], const struct audit_position *position)
{
	char file[AUDIT_POSITION_FILE];
	struct stat status;

	for (size_t i = 0; position->file[0] && i <= AUDIT_KEEP_MAX; i++) {
		if (fds[i] < 0)
			continue;
		identify(fds[i], file);
		if (strcmp(file, position->file) == 0 && fstat(fds[i], &status) == 0 &&
		    (uint64_t)status.st_size >= position->offset)
			return i;
	}
	return AUDIT_KEEP_MAX + 1;
}

/* From the file where the last reading ended, or from the oldest one; fds counts from the current file upwards, so it is walked
 * down. */
static int read_files(struct audit_reader *reader, const int fds[static AUDIT_KEEP_MAX + 1], struct error *err)
{
	struct audit_position position = { 0 };
	size_t first = AUDIT_KEEP_MAX;
	int rc = 0;

	if (reader->position)
		first = first_file(fds, reader->position);
	if (reader->position && first <= AUDIT_KEEP_MAX)
		position = *reader->position;
	else
		first = AUDIT_KEEP_MAX;
	for (size_t i = first + 1; rc >= 0 && i > 0; i--) {
		if (fds[i - 1] >= 0)
			rc = read_from(reader, fds[i - 1], &position, err);
	}
	if (rc >= 0 && reader->position)
		*reader->position = position;
	return rc;
}

int audit_read(struct audit_reader *reader, struct error *err)
{
	int fds[AUDIT_KEEP_MAX + 1], rc;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = -EBADF;
	/* All at once and under the lock: a rotation in between would show a file twice, or never. */
	rc = open_files(reader->path, fds, err);
	if (rc >= 0)
		rc = read_files(reader, fds, err);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close_and_reset(&fds[i]);
	return rc;
}
