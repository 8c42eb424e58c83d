#include "container/explain/expectation.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
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
#include "container/explain/explain.h"
#include "plan/report.h"

#define BYTES_MAX ((size_t)8 * 1024 * 1024)

/* ---- writing ---- */

static void write_report(struct json_writer *writer, const struct report *report)
{
	json_write_key(writer, "report");
	json_write_array_begin(writer);
	for (size_t i = 0; i < report->n_lines; i++) {
		const struct report_line *line = &report->lines[i];

		json_write_object_begin(writer);
		json_write_member(writer, "level", report_level_name(line->level));
		json_write_member(writer, "rule", line->rule);
		json_write_member(writer, "where", line->where);
		json_write_member(writer, "asked", line->asked);
		json_write_member(writer, "applied", line->applied);
		json_write_member(writer, "why", line->why);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_map(struct json_writer *writer, const char *key, const struct plan_id_map *map)
{
	json_write_key(writer, key);
	json_write_array_begin(writer);
	for (size_t i = 0; i < map->n_ranges; i++) {
		json_write_object_begin(writer);
		json_write_member_uint(writer, "inside", map->ranges[i].inside);
		json_write_member_uint(writer, "outside", map->ranges[i].outside);
		json_write_member_uint(writer, "count", map->ranges[i].count);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static const char *filter_name(const struct plan_seccomp *seccomp)
{
	switch (seccomp->floor) {
	case PLAN_FLOOR_STRICT:
		return "strict";
	case PLAN_FLOOR_BASELINE:
		return "baseline";
	case PLAN_FLOOR_NONE:
	case PLAN_N_FLOORS:
		break;
	}
	return seccomp->enabled ? "config.json" : "none";
}

/* What is joined may be the host's own, where the policy lets it. */
static uint64_t private_namespaces(const struct plan_namespaces *namespaces)
{
	uint64_t flags = namespaces->create;

	for (size_t i = 0; i < namespaces->n_join; i++)
		flags |= namespaces->join[i].not_the_hosts ? namespaces->join[i].flag : 0;
	return flags;
}

static bool dumps_core(const struct plan_process *process)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		if (process->rlimits[i].resource == RLIMIT_CORE)
			return process->rlimits[i].hard != 0;
	}
	return true;
}

static void write_process(struct json_writer *writer, const struct plan *plan)
{
	json_write_member_bool(writer, "coreDumps", dumps_core(&plan->process));
	if (plan->process.set_oom_score_adj)
		json_write_member_int(writer, "oomScoreAdj", plan->process.oom_score_adj);
	json_write_member_bool(writer, "noNewPrivileges", plan->process.no_new_privileges);
	json_write_member_bool(writer, "landlock", plan->landlock.enabled);
	json_write_member(writer, "filter", filter_name(&plan->seccomp));
	json_write_member_bool(writer, "counts", plan->seccomp.floor_notifies);
	json_write_member_uint(writer, "bounding", plan->process.capabilities.bounding);
	json_write_member_uint(writer, "inheritable", plan->process.capabilities.inheritable);
	json_write_member_uint(writer, "ambient", plan->process.capabilities.ambient);
}

static void write_limits(struct json_writer *writer, const struct plan_resources *resources)
{
	if (resources->set & PLAN_MEMORY_LIMIT && resources->memory_limit > 0)
		json_write_member_int(writer, "memory", resources->memory_limit);
	if (resources->set & PLAN_PIDS && resources->pids > 0)
		json_write_member_int(writer, "pids", resources->pids);
	if (resources->set & PLAN_CPU_QUOTA && resources->cpu_quota > 0)
		json_write_member_int(writer, "cpuQuota", resources->cpu_quota);
}

static void write_egress(struct json_writer *writer, const struct plan_egress *egress)
{
	char text[ENDPOINT_TEXT_MAX];

	if (!egress->enforced)
		return;
	json_write_key(writer, "egress");
	json_write_array_begin(writer);
	for (size_t i = 0; i < egress->n; i++)
		json_write_string(writer, endpoint_format(&egress->list[i], text));
	json_write_array_end(writer);
}

/* Control groups are left out: under v1 they are many mounts in a folder. */
static void write_mounts(struct json_writer *writer, const struct plan_rootfs *rootfs)
{
	json_write_key(writer, "mounts");
	json_write_array_begin(writer);
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		const struct plan_mount *mount = &rootfs->mounts[i];
		uint64_t attributes = (mount->rattr_set & ~mount->attr_clear) | mount->attr_set;

		attributes &= MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
		if (mount->kind == PLAN_MOUNT_CGROUP || !attributes || !plan_mount_is_on_top(rootfs, i))
			continue;
		json_write_object_begin(writer);
		json_write_member(writer, "destination", mount->destination);
		json_write_member_uint(writer, "attributes", attributes);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

/* A container inherits what whoever makes it is under. */
static uint64_t filters_of(const struct plan_seccomp *seccomp)
{
	char status[8192];
	uint64_t n = 0;

	if (fd_read_file_at(AT_FDCWD, "/proc/thread-self/status", status, sizeof(status)) <= 0 ||
	    !explain_status_number(status, "Seccomp_filters", 10, &n))
		return 0;
	return n + plan_has_filter(seccomp);
}

static void write_rootfs(struct json_writer *writer, const struct plan *plan)
{
	json_write_member_strings(writer, "masked", plan->rootfs.masked, plan->rootfs.n_masked);
	if (!(plan->namespaces.create & CLONE_NEWNS))
		return;
	json_write_member_strings(writer, "readonly", plan->rootfs.readonly_paths, plan->rootfs.n_readonly_paths);
	write_mounts(writer, &plan->rootfs);
	json_write_member_bool(writer, "readonlyRoot", plan->rootfs.readonly);
}

static void write_expectation(struct json_writer *writer, const struct creation *creation)
{
	const struct plan *plan = creation->plan;

	json_write_object_begin(writer);
	json_write_member(writer, "policy", policy_name(&creation->decision.policy));
	write_report(writer, &creation->decision.report);
	write_process(writer, plan);
	json_write_member_uint(writer, "namespaces", private_namespaces(&plan->namespaces));
	write_map(writer, "uids", &plan->namespaces.uids);
	write_map(writer, "gids", &plan->namespaces.gids);
	json_write_member_uint(writer, "filters", filters_of(&plan->seccomp));
	write_rootfs(writer, plan);
	write_limits(writer, &plan->cgroup.resources);
	write_egress(writer, &plan->egress);
	json_write_object_end(writer);
}

int expectation_save(const struct creation *creation, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	struct json_writer writer = json_writer_on(&text, /* indent= */ 0);

	if (policy_set(&creation->decision.policy) == POLICY_CONFORMANT && creation->decision.report.n_lines == 0 &&
	    !creation->plan->egress.enforced)
		return 0;
	write_expectation(&writer, creation);
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
	{ "oomScoreAdj", &json_opt_int, offsetof(struct expectation, oom_score_adj), 0 },
	{ "egress", &json_strings, JSON_COUNTED(struct expectation, egress), 0 },
	{ "memory", &json_i64, offsetof(struct expectation, memory), 0 },
	{ "pids", &json_i64, offsetof(struct expectation, pids), 0 },
	{ "cpuQuota", &json_i64, offsetof(struct expectation, cpu_quota), 0 },
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
	return rc < 0 ? error_prefix(err, "read " EXPECTATION_FILE) : 0;
}

int expectation_read_last(int root_fd, struct arena *arena, struct expectation_last *ret, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer text = { 0 };
	int rc = file_read_at(root_fd, EXPECTATION_LAST, BYTES_MAX, &text, err);

	if (rc >= 0)
		rc = decode(&text, &last_type, ret, arena, err);
	return rc < 0 ? error_prefix(err, "read " EXPECTATION_LAST) : 0;
}
