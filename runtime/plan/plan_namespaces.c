/* Which namespaces are made and which joined, and the maps of the user namespace. */
#include <errno.h>

#include "base/names.h"
#include "base/syscalls.h"
#include "plan/plan_harden.h"
#include "plan/plan_id_map.h"

int plan_namespaces_copy_map(const struct plan_builder *builder, const struct spec_id_mapping *mappings, size_t n,
			     struct plan_id_map *ret, struct error *err)
{
	struct plan_id_range *ranges = arena_array_of(builder->arena, n, struct plan_id_range);

	if (!ranges)
		return error_memory(err);
	for (size_t i = 0; i < n; i++)
		ranges[i] = (struct plan_id_range){ .inside = mappings[i].container_id,
						    .outside = mappings[i].host_id,
						    .count = mappings[i].size };
	*ret = (struct plan_id_map){ .ranges = ranges, .n_ranges = n };
	return 0;
}

/* Without CAP_SETGID the kernel lets us map our own group alone, and only once setgroups(2) is off (user_namespaces(7)). A
 * longer map goes through newgidmap(1), which has the right to leave it on. */
static bool must_deny_setgroups(const struct plan_builder *builder)
{
	const struct plan_id_map *gids = &builder->gids;

	return !plan_builder_can(builder, CAP_SETGID) && gids->n_ranges == 1 && gids->ranges[0].count == 1 &&
	       gids->ranges[0].outside == builder->host->egid;
}

/* Whoever makes a user namespace has its capabilities as any user of it: one id is enough where it is the program's. */
static bool maps_process_alone(const struct plan_builder *builder)
{
	const struct plan_id_map *uids = &builder->uids, *gids = &builder->gids;

	return builder->process && uids->n_ranges == 1 && uids->ranges[0].count == 1 && gids->n_ranges == 1 &&
	       gids->ranges[0].count == 1 && uids->ranges[0].inside == builder->process->user.uid &&
	       gids->ranges[0].inside == builder->process->user.gid;
}

/* The child becomes root of its namespace before it sets anything up. */
static int check_root_mapped(const struct plan_builder *builder, struct error *err)
{
	uint32_t outside;

	if (maps_process_alone(builder))
		return 0;
	if (!plan_id_map_find(&builder->uids, 0, &outside))
		return error_invalid(
			err, "linux.uidMappings: nothing maps containerID 0; a new user namespace needs its root");
	if (!plan_id_map_find(&builder->gids, 0, &outside))
		return error_invalid(
			err, "linux.gidMappings: nothing maps containerID 0; a new user namespace needs its root");
	return 0;
}

static int copy_maps(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	int rc = plan_namespaces_copy_map(builder, linux_->uid_mappings, linux_->n_uid_mappings, &builder->uids, err);

	if (rc < 0)
		return rc;
	return plan_namespaces_copy_map(builder, linux_->gid_mappings, linux_->n_gid_mappings, &builder->gids, err);
}

static int build_maps(struct plan_builder *builder, struct error *err)
{
	struct plan_namespaces *namespaces = &builder->plan->namespaces;
	enum plan_namespace_origin origin = plan_builder_namespace(builder, CLONE_NEWUSER);
	int rc;

	if (builder->floor_userns) {
		namespaces->uids = builder->uids;
		namespaces->gids = builder->gids;
		return 0;
	}
	rc = copy_maps(builder, err);
	if (rc < 0)
		return rc;
	if (origin == PLAN_NAMESPACE_JOINED && builder->uids.n_ranges > 0)
		return report_add(builder->report,
				  &(struct report_line){ REPORT_NOTE, "userns-joined-maps", "linux.uidMappings", NULL,
							 NULL,
							 "the user namespace is joined by its path: its own maps hold" },
				  err);
	if (origin != PLAN_NAMESPACE_NEW)
		return 0;
	rc = check_root_mapped(builder, err);
	if (rc < 0)
		return rc;
	namespaces->uids = builder->uids;
	namespaces->gids = builder->gids;
	namespaces->deny_setgroups = must_deny_setgroups(builder);
	return 0;
}

/* Written to /proc/PID/timens_offsets before the first process enters (time_namespaces(7)): afterwards the kernel refuses it. */
static int build_time_offsets(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	struct plan_time_offset *offsets;
	uint64_t clock;

	if (linux_->n_time_offsets == 0)
		return 0;
	offsets = arena_array_of(builder->arena, linux_->n_time_offsets, struct plan_time_offset);
	if (!offsets)
		return error_memory(err);
	for (size_t i = 0; i < linux_->n_time_offsets; i++) {
		const struct spec_time_offset *offset = &linux_->time_offsets[i];

		if (!names_find(&names_clocks, offset->clock, &clock))
			return error_invalid(err, "linux.timeOffsets: unknown clock \"%.64s\"", offset->clock);
		offsets[i] = (struct plan_time_offset){ (int)clock, offset->secs, offset->nanosecs };
	}
	builder->plan->namespaces.time_offsets = offsets;
	builder->plan->namespaces.n_time_offsets = linux_->n_time_offsets;
	return 0;
}

/* A name or a sysctl that is set through a joined namespace must not end up on the host (CVE-2022-0532). */
static bool gets_settings(const struct plan_builder *builder, uint64_t flag)
{
	const struct spec *spec = builder->spec;

	if (flag == CLONE_NEWUTS && (spec->hostname || spec->domainname))
		return true;
	return (flag & (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)) && spec->linux_.n_sysctl > 0;
}

/* A joined namespace that must not be the host's is compared with ours when it is opened (parent/): a path says nothing of what
 * it leads to. */
static int build_list(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	struct plan_namespaces *namespaces = &builder->plan->namespaces;
	struct plan_namespace_join *join =
		arena_array_of(builder->arena, linux_->n_namespaces + 1, struct plan_namespace_join);
	bool not_the_hosts = plan_harden_refuses_the_hosts(builder);
	int rc = join ? 0 : error_memory(err);
	size_t n = 0;

	namespaces->added = builder->added;
	namespaces->create = builder->added;
	if (rc >= 0 && builder->floor_userns && builder->request->ids.join) {
		join[n].flag = CLONE_NEWUSER;
		rc = plan_builder_copy(builder, builder->request->ids.join, &join[n++].path, err);
	} else if (builder->floor_userns) {
		namespaces->create |= CLONE_NEWUSER;
	}

	for (size_t i = 0; rc >= 0 && i < linux_->n_namespaces; i++) {
		const struct spec_namespace *namespace = &linux_->namespaces[i];

		if (!namespace->path) {
			namespaces->create |= namespace->type;
			continue;
		}
		join[n].flag = namespace->type;
		join[n].not_the_hosts = not_the_hosts || gets_settings(builder, namespace->type);
		join[n].least_id = namespace->type == CLONE_NEWUSER ? plan_userns_least_id(builder) : 0;
		rc = plan_builder_copy(builder, namespace->path, &join[n++].path, err);
	}
	namespaces->join = join;
	namespaces->n_join = n;
	return rc;
}

static void list_kinds(struct plan_builder *builder)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;

	for (size_t i = 0; i < linux_->n_namespaces; i++)
		builder->plan->namespaces.enter |= linux_->namespaces[i].type;
	builder->plan->namespaces.enter |= builder->added | (builder->floor_userns ? CLONE_NEWUSER : 0);
}

int plan_namespaces_build(struct plan_builder *builder, struct error *err)
{
	int rc;

	if (plan_builder_namespace(builder, CLONE_NEWNS) == PLAN_NAMESPACE_HOST)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "linux.namespaces: a container without a mount namespace of its own is not supported; add "
				 "{ \"type\": \"mount\" }");
	builder->added = builder->request->added_namespaces;
	rc = builder->exec ? 0 : plan_harden_namespaces(builder, err);
	if (rc >= 0)
		rc = plan_userns_decide(builder, err);
	if (rc >= 0)
		rc = build_maps(builder, err);
	/* An exec joins what is there: the maps matter, to check ids, and the kinds. */
	if (builder->exec)
		list_kinds(builder);
	if (rc < 0 || builder->exec)
		return rc;
	rc = build_list(builder, err);
	if (rc < 0)
		return rc;
	rc = build_time_offsets(builder, err);
	if (rc >= 0)
		rc = plan_builder_copy(builder, builder->spec->hostname, &builder->plan->hostname, err);
	return rc < 0 ? rc : plan_builder_copy(builder, builder->spec->domainname, &builder->plan->domainname, err);
}
