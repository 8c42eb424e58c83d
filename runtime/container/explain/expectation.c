#include "container/explain/expectation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "container/creation/creation.h"
#include "container/explain/denial_document.h"
#include "container/explain/denial_listener.h"
#include "container/explain/expectation_write.h"
#include "container/explain/explain.h"

#define BYTES_MAX ((size_t)8 * 1024 * 1024)

/* ---- writing ---- */

/* A container inherits what whoever makes it is under. */
static uint64_t count_filters(const struct plan_seccomp *seccomp)
{
	char status[8192];
	uint64_t n = 0;

	if (fd_read_file_at(AT_FDCWD, "/proc/thread-self/status", status, sizeof(status)) <= 0 ||
	    !explain_status_number(status, "Seccomp_filters", 10, &n))
		return 0;
	return n + plan_has_filter(seccomp);
}

/* config.json was done as it stands, and nothing is counted that could be told. */
static bool has_nothing_to_tell(const struct creation *creation)
{
	return policy_set(&creation->decision.policy) == POLICY_CONFORMANT && creation->decision.report.n_lines == 0 &&
	       !creation->plan->egress.enforced;
}

int expectation_save(const struct creation *creation, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);
	struct expectation_basis basis = { .policy = policy_name(&creation->decision.policy),
					   .plan = creation->plan,
					   .report = &creation->decision.report };

	if (has_nothing_to_tell(creation))
		return 0;
	basis.n_filters = count_filters(&creation->plan->seccomp);
	expectation_write(&basis, &writer);
	if (text.failed)
		return error_memory(err);
	return file_create_at(creation->container.dir_fd, EXPECTATION_FILE, &text, 0600, err);
}

void expectation_keep_last(const struct container *container, int status, const struct denial_listener *listener)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer expected = { 0 }, text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);
	char ended[TIMESTAMP_MAX];
	struct error err = { 0 };
	struct timespec now;

	/* No report.json: there is nothing to explain. */
	if (file_read_at(container->dir_fd, EXPECTATION_FILE, BYTES_MAX, &expected, &err) < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	json_write_object_begin(&writer);
	json_write_member(&writer, "id", container->state.id);
	json_write_member(&writer, "ended", timestamp_format(&now, ended));
	json_write_member_int(&writer, "status", status);
	json_write_key(&writer, "expected");
	json_write_raw(&writer, expected.data);
	if (listener) {
		json_write_key(&writer, "denials");
		denial_listener_write_json(listener, &writer);
	}
	json_write_object_end(&writer);
	if (text.failed || file_replace_at(container->root_fd, EXPECTATION_LAST, &text, 0600, &err) < 0)
		log_warning("brig explain --last will not know of this container: %s", err.message);
}

/* ---- reading ---- */

static const struct json_field line_fields[] = {
	{ "level", &json_string, offsetof(struct expected_line, level), JSON_REQUIRED },
	{ "rule", &json_string, offsetof(struct expected_line, rule), JSON_REQUIRED },
	{ "where", &json_string, offsetof(struct expected_line, where), 0 },
	{ "asked", &json_string, offsetof(struct expected_line, asked), 0 },
	{ "applied", &json_string, offsetof(struct expected_line, applied), 0 },
	{ "why", &json_string, offsetof(struct expected_line, why), 0 },
	{ 0 },
};
static const struct json_type line_type = JSON_OBJECT_OF(struct expected_line, line_fields);
static const struct json_type lines_type = JSON_ARRAY_OF(&line_type);

static const struct json_field range_fields[] = {
	{ "inside", &json_u32, offsetof(struct expected_range, inside), JSON_REQUIRED },
	{ "outside", &json_u32, offsetof(struct expected_range, outside), JSON_REQUIRED },
	{ "count", &json_u32, offsetof(struct expected_range, count), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type range_type = JSON_OBJECT_OF(struct expected_range, range_fields);
static const struct json_type ranges_type = JSON_ARRAY_OF(&range_type);

static const struct json_field mount_fields[] = {
	{ "destination", &json_string, offsetof(struct expected_mount, destination), JSON_REQUIRED },
	{ "attributes", &json_u64, offsetof(struct expected_mount, attributes), JSON_REQUIRED },
	{ 0 },
};
static const struct json_type mount_type = JSON_OBJECT_OF(struct expected_mount, mount_fields);
static const struct json_type mounts_type = JSON_ARRAY_OF(&mount_type);

static const struct json_field expectation_fields[] = {
	{ "policy", &json_string, offsetof(struct expectation, policy), JSON_REQUIRED },
	{ "report", &lines_type, JSON_COUNTED(struct expectation, report), JSON_REQUIRED },
	{ "noNewPrivileges", &json_bool, offsetof(struct expectation, no_new_privileges), JSON_REQUIRED },
	{ "landlock", &json_bool, offsetof(struct expectation, landlock), JSON_REQUIRED },
	{ "refusesTcp", &json_bool, offsetof(struct expectation, refuses_tcp), 0 },
	{ "filter", &json_string, offsetof(struct expectation, filter), JSON_REQUIRED },
	{ "counts", &json_bool, offsetof(struct expectation, counts), JSON_REQUIRED },
	{ "bounding", &json_u64, offsetof(struct expectation, bounding), JSON_REQUIRED },
	{ "inheritable", &json_u64, offsetof(struct expectation, inheritable), JSON_REQUIRED },
	{ "ambient", &json_u64, offsetof(struct expectation, ambient), JSON_REQUIRED },
	{ "namespaces", &json_u64, offsetof(struct expectation, namespaces), JSON_REQUIRED },
	{ "uids", &ranges_type, JSON_COUNTED(struct expectation, uids), JSON_REQUIRED },
	{ "gids", &ranges_type, JSON_COUNTED(struct expectation, gids), JSON_REQUIRED },
	{ "masked", &json_strings, JSON_COUNTED(struct expectation, masked), JSON_REQUIRED },
	{ "readonly", &json_strings, JSON_COUNTED(struct expectation, readonly), 0 },
	{ "mounts", &mounts_type, JSON_COUNTED(struct expectation, mounts), 0 },
	{ "readonlyRoot", &json_bool, offsetof(struct expectation, readonly_root), 0 },
	{ "filters", &json_u64, offsetof(struct expectation, filters), 0 },
	{ "coreDumps", &json_opt_bool, offsetof(struct expectation, core_dumps), 0 },
	{ "logs", &json_opt_bool, offsetof(struct expectation, logs), 0 },
	{ "oomScoreAdj", &json_opt_int, offsetof(struct expectation, oom_score_adj), 0 },
	{ "egress", &json_strings, JSON_COUNTED(struct expectation, egress), 0 },
	{ "memory", &json_i64, offsetof(struct expectation, limits.memory), 0 },
	{ "pids", &json_i64, offsetof(struct expectation, limits.pids), 0 },
	{ "cpuQuota", &json_i64, offsetof(struct expectation, limits.cpu_quota), 0 },
	{ "cpuPeriod", &json_u64, offsetof(struct expectation, limits.cpu_period), 0 },
	{ 0 },
};
static const struct json_type expectation_type = JSON_OBJECT_OF(struct expectation, expectation_fields);
static const struct json_type expectation_pointer = JSON_POINTER_TO(&expectation_type);

static const struct json_field last_fields[] = {
	{ "id", &json_string, offsetof(struct expectation_last, id), JSON_REQUIRED },
	{ "ended", &json_string, offsetof(struct expectation_last, ended), JSON_REQUIRED },
	{ "status", &json_int, offsetof(struct expectation_last, status), JSON_REQUIRED },
	{ "expected", &expectation_pointer, offsetof(struct expectation_last, expected), JSON_REQUIRED },
	{ "denials", &denial_document_pointer, offsetof(struct expectation_last, denials), 0 },
	{ 0 },
};
static const struct json_type last_type = JSON_OBJECT_OF(struct expectation_last, last_fields);

static int decode(const struct buffer *text, const struct json_type *type, void *target, struct arena *arena,
		  struct error *err)
{
	struct json_input input = { .text = text->data, .length = text->length };

	return json_decode(&input, type, target, arena, err);
}

int expectation_read(int dir_fd, struct arena *arena, struct expectation *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = file_read_at(dir_fd, EXPECTATION_FILE, BYTES_MAX, &text, err);

	if (rc >= 0)
		rc = decode(&text, &expectation_type, ret, arena, err);
	if (rc < 0)
		return error_prefix(err, "read " EXPECTATION_FILE);
	rc = expected_limits_read(dir_fd, arena, &ret->limits, err);
	ret->is_updated = rc > 0;
	return rc < 0 ? rc : 0;
}

void expectation_update(const struct container *container, const struct plan_resources *resources)
{
	struct expectation expected = { 0 };
	struct error err = { 0 };
	int rc = expectation_read(container->dir_fd, container->arena, &expected, &err);

	if (rc == -ENOENT)
		return;
	expected_limits_take(&expected.limits, resources);
	if (rc >= 0)
		rc = expected_limits_save(container->dir_fd, &expected.limits, &err);
	if (rc < 0)
		log_warning("brig explain will hold the limits against what they were before: %s", err.message);
}

int expectation_read_last(int root_fd, struct arena *arena, struct expectation_last *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = file_read_at(root_fd, EXPECTATION_LAST, BYTES_MAX, &text, err);

	if (rc >= 0)
		rc = decode(&text, &last_type, ret, arena, err);
	return rc < 0 ? error_prefix(err, "read " EXPECTATION_LAST) : 0;
}
