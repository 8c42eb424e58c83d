/* The sums of a trail, in a file beside it. */
#include "audit/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/audit_record.h"
#include "audit/trail.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"

#define SUMS_MAX ((size_t)4 * 1024 * 1024)
#define VERSION 1
/* Somebody else counts a whole trail of some 60 MiB in about a second. */
#define LOCK_TIMEOUT_MS 10000

/* Names in the file: the numbers of the enumeration may change. */
static const struct name families[] = {
	{ "creates", TALLY_CREATES },
	{ "starts", TALLY_STARTS },
	{ "execs", TALLY_EXECS },
	{ "failures", TALLY_FAILURES },
	{ "refusals", TALLY_REFUSALS },
	{ "adjustments", TALLY_ADJUSTMENTS },
	{ "denials", TALLY_DENIALS },
	{ "egress-denials", TALLY_EGRESS_DENIALS },
	{ "oom-kills", TALLY_OOM_KILLS },
	{ "deadlines", TALLY_DEADLINES },
	{ "policy-changes", TALLY_POLICY_CHANGES },
	{ "startups", TALLY_STARTUPS },
	{ "startup-usec", TALLY_STARTUP_USEC },
	{ "broken-lines", TALLY_BROKEN_LINES },
	{ "uncounted", TALLY_UNCOUNTED },
};
static const struct name_table family_names = { "counter", families, ARRAY_SIZE(families) };

struct stored_counter {
	uint32_t family;
	const char *const *labels;
	size_t n_labels;
	uint64_t value;
};

struct stored {
	uint32_t version;
	struct {
		const char *file;
		uint64_t offset;
	} position;
	const struct stored_counter *counters;
	size_t n_counters;
	const struct tally_oom *ooms;
	size_t n_ooms;
};

static const struct json_type family_type = JSON_ENUM_OF(uint32_t, &family_names);
static const struct json_field counter_fields[] = {
	{ "name", &family_type, offsetof(struct stored_counter, family), JSON_REQUIRED },
	{ "labels", &json_strings, JSON_COUNTED(struct stored_counter, labels), 0 },
	{ "value", &json_u64, offsetof(struct stored_counter, value), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type counter_type = JSON_OBJECT_OF(struct stored_counter, counter_fields);
static const struct json_type counters_type = JSON_ARRAY_OF(&counter_type);

static const struct json_field oom_fields[] = {
	{ "id", &json_string, offsetof(struct tally_oom, id), JSON_REQUIRED },
	{ "kills", &json_u64, offsetof(struct tally_oom, kills), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type oom_type = JSON_OBJECT_OF(struct tally_oom, oom_fields);
static const struct json_type ooms_type = JSON_ARRAY_OF(&oom_type);

static const struct json_field position_fields[] = {
	{ "file", &json_string, offsetof(struct stored, position.file), JSON_REQUIRED },
	{ "offset", &json_u64, offsetof(struct stored, position.offset), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type position_type = JSON_OBJECT_OF(struct stored, position_fields);

static const struct json_field stored_fields[] = {
	{ "version", &json_u32, offsetof(struct stored, version), JSON_REQUIRED },
	{ "position", &position_type, 0, JSON_REQUIRED },
	{ "counters", &counters_type, JSON_COUNTED(struct stored, counters), JSON_REQUIRED },
	{ "ooms", &ooms_type, JSON_COUNTED(struct stored, ooms), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type stored_type = JSON_OBJECT_OF(struct stored, stored_fields);

static void format_counter(const struct tally_counter *counter, struct json_writer *writer)
{
	json_write_object_begin(writer);
	json_write_member(writer, "name", names_text(&family_names, counter->family));
	json_write_key(writer, "labels");
	json_write_array_begin(writer);
	for (size_t i = 0; i < TALLY_LABELS && counter->labels[i][0]; i++)
		json_write_string(writer, counter->labels[i]);
	json_write_array_end(writer);
	json_write_member_uint(writer, "value", counter->value);
	json_write_object_end(writer);
}

void tally_format(const struct tally *tally, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member_uint(&writer, "version", VERSION);
	json_write_key(&writer, "position");
	json_write_object_begin(&writer);
	json_write_member(&writer, "file", tally->position.file);
	json_write_member_uint(&writer, "offset", tally->position.offset);
	json_write_object_end(&writer);
	json_write_key(&writer, "counters");
	json_write_array_begin(&writer);
	for (size_t i = 0; i < tally->n_counters; i++)
		format_counter(&tally->counters[i], &writer);
	json_write_array_end(&writer);
	json_write_key(&writer, "ooms");
	json_write_array_begin(&writer);
	for (size_t i = 0; i < tally->n_ooms; i++) {
		json_write_object_begin(&writer);
		json_write_member(&writer, "id", tally->ooms[i].id);
		json_write_member_uint(&writer, "kills", tally->ooms[i].kills);
		json_write_object_end(&writer);
	}
	json_write_array_end(&writer);
	json_write_object_end(&writer);
	buffer_append_text(out, "\n");
}

/* Through tally_add(), which holds its caps: a file of ours that somebody has filled is read like a trail. */
static int take_stored(const struct stored *stored, struct tally *tally, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < stored->n_counters; i++) {
		const struct stored_counter *counter = &stored->counters[i];
		const char *labels[TALLY_LABELS] = { NULL };

		for (size_t j = 0; j < counter->n_labels && j < TALLY_LABELS; j++)
			labels[j] = counter->labels[j];
		rc = tally_add(tally, (enum tally_family)counter->family, labels, counter->value, err);
	}
	for (size_t i = 0; rc >= 0 && i < stored->n_ooms; i++)
		rc = tally_remember_oom(tally, stored->ooms[i].id, stored->ooms[i].kills, err);
	return rc;
}

int tally_parse(const char *text, size_t length, struct tally *ret, struct error *err)
{
	static const struct json_limits limits = { .bytes = SUMS_MAX, .elements = TALLY_COUNTERS_MAX, .depth = 6 };
	const struct json_input input = { .text = text, .length = length, .limits = &limits };
	AUTO(arena_free) struct arena *arena = arena_new(4 * SUMS_MAX);
	struct stored stored = { 0 };
	struct tally tally = { 0 };
	int rc = arena ? json_decode(&input, &stored_type, &stored, arena, err) : error_memory(err);

	if (rc >= 0 && (stored.version != VERSION || strlen(stored.position.file) >= AUDIT_POSITION_FILE))
		rc = error_invalid(err, "version %u: this brig writes version %u", stored.version, VERSION);
	if (rc < 0)
		return rc;
	snprintf(tally.position.file, sizeof(tally.position.file), "%s", stored.position.file);
	tally.position.offset = stored.position.offset;
	rc = take_stored(&stored, &tally, err);
	if (rc < 0) {
		tally_done(&tally);
		return rc;
	}
	*ret = tally;
	return 0;
}

static int load(int dir_fd, const char *name, struct tally *ret, struct error *err)
{
	AUTO_CLOSE int fd = trail_open_file(dir_fd, name, O_RDONLY, NULL, err);
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = fd < 0 ? fd : fd_read_all(fd, SUMS_MAX, &text, name, err);

	if (rc == -ENOENT) {
		*ret = (struct tally){ 0 };
		return 0;
	}
	if (rc >= 0)
		rc = tally_parse(text.data ?: "", text.length, ret, err);
	return rc < 0 ? error_prefix(err, "the sums of the audit trail, %s (removed, they are counted anew)", name) : 0;
}

/* Replaced by rename(2): whoever is killed in between leaves the sums that were there, with their position, and the lines are
 * read again. */
static int save(int dir_fd, const char *name, const struct tally *tally, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };

	tally_format(tally, &text);
	return text.failed ? error_memory(err) : file_replace_at(dir_fd, name, &text, 0600, err);
}

/* A file of its own, since the sums' is replaced. */
static int lock(int dir_fd, const char *name, struct error *err)
{
	AUTO_CLOSE int fd = trail_open_file(dir_fd, name, O_RDWR | O_CREAT, NULL, err);
	int rc = fd < 0 ? fd : fd_lock(fd, LOCK_EX, LOCK_TIMEOUT_MS);

	if (fd < 0)
		return fd;
	if (rc == -ETIMEDOUT)
		return error_set(err, ERROR_TIMEOUT, EBUSY, "%s is locked for more than ten seconds", name);
	return rc < 0 ? error_system(err, -rc, "lock %s", name) : steal_fd(&fd);
}

static int take(void *context, const struct audit_entry *entry, struct error *err)
{
	return tally_take(context, entry, err);
}

/* Where the last reading ended is part of the sums, so that each line is counted once, also over a rotation. */
static int count(const char *path, struct tally *tally, struct error *err)
{
	struct audit_reader reader = { .path = path, .take = take, .context = tally, .position = &tally->position };
	int rc = audit_read(&reader, err);

	if (rc < 0 && err->kind == ERROR_NOT_FOUND)
		return 0;
	tally->is_found = rc >= 0;
	if (rc >= 0 && reader.n_broken > 0)
		rc = tally_add(tally, TALLY_BROKEN_LINES, (const char *const[TALLY_LABELS]){ NULL }, reader.n_broken,
			       err);
	return rc;
}

static int update(const char *path, int dir_fd, const char *name, struct tally *tally, struct error *err)
{
	int rc = load(dir_fd, name, tally, err);

	if (rc >= 0)
		rc = count(path, tally, err);
	if (rc >= 0 && tally->is_found)
		rc = save(dir_fd, name, tally, err);
	return rc;
}

int tally_update(const char *path, struct tally *ret, struct error *err)
{
	AUTO_CLOSE int dir_fd = trail_open_directory(path, /* make= */ false, /* shared= */ true, err);
	char directory[PATH_MAX], name[NAME_MAX + 1], sums[NAME_MAX + 16], guard[NAME_MAX + 16];
	AUTO_CLOSE int lock_fd = -EBADF;
	struct tally tally = { 0 };
	int rc = dir_fd < 0 ? dir_fd : trail_split(path, directory, name, err);

	if (rc == -ENOENT) {
		*ret = tally;
		return 0;
	}
	/* Whoever writes to the trail has that lock for its turn: it is not ours for as long as we count. */
	if (rc >= 0 && flock(dir_fd, LOCK_UN) < 0)
		rc = error_system(err, errno, "unlock the audit trail's directory");
	if (rc < 0)
		return rc;
	snprintf(sums, sizeof(sums), "%s.sums", name);
	snprintf(guard, sizeof(guard), "%s.sums.lock", name);
	lock_fd = lock(dir_fd, guard, err);
	rc = lock_fd < 0 ? lock_fd : update(path, dir_fd, sums, &tally, err);
	if (rc < 0) {
		tally_done(&tally);
		return rc;
	}
	*ret = tally;
	return 0;
}
