#include "container/explain/expectation_write.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/endpoint.h"
#include "container/explain/expected_limits.h"

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
	if (plan->landlock.refuses_tcp)
		json_write_member_bool(writer, "refusesTcp", true);
	json_write_member(writer, "filter", filter_name(&plan->seccomp));
	json_write_member_bool(writer, "counts", plan->seccomp.floor_notifies);
	json_write_member_bool(writer, "logs", plan->seccomp.logs || plan->seccomp.flags & SECCOMP_FILTER_FLAG_LOG);
	json_write_member_uint(writer, "bounding", plan->process.capabilities.bounding);
	json_write_member_uint(writer, "inheritable", plan->process.capabilities.inheritable);
	json_write_member_uint(writer, "ambient", plan->process.capabilities.ambient);
}

static void write_limits(struct json_writer *writer, const struct plan_resources *resources)
{
	struct expected_limits limits = { 0 };

	expected_limits_take(&limits, resources);
	expected_limits_write(&limits, writer);
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

static void write_rootfs(struct json_writer *writer, const struct plan *plan)
{
	json_write_member_strings(writer, "masked", plan->rootfs.masked, plan->rootfs.n_masked);
	if (!(plan->namespaces.create & CLONE_NEWNS))
		return;
	json_write_member_strings(writer, "readonly", plan->rootfs.readonly_paths, plan->rootfs.n_readonly_paths);
	write_mounts(writer, &plan->rootfs);
	json_write_member_bool(writer, "readonlyRoot", plan->rootfs.readonly);
}

void expectation_write(const struct expectation_basis *basis, struct json_writer *writer)
{
	const struct plan *plan = basis->plan;

	json_write_object_begin(writer);
	json_write_member(writer, "policy", basis->policy);
	write_report(writer, basis->report);
	write_process(writer, plan);
	json_write_member_uint(writer, "namespaces", private_namespaces(&plan->namespaces));
	write_map(writer, "uids", &plan->namespaces.uids);
	write_map(writer, "gids", &plan->namespaces.gids);
	json_write_member_uint(writer, "filters", basis->n_filters);
	write_rootfs(writer, plan);
	write_limits(writer, &plan->cgroup.resources);
	write_egress(writer, &plan->egress);
	json_write_object_end(writer);
}
