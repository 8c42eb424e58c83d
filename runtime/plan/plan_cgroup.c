/* Where the container's group is, who manages it, and to whom it belongs (config-linux.md "Control groups"). */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"
#include "plan/plan_id_map.h"
#include "plan/plan_resources.h"
#include "plan/plan_resources_devices.h"

#define PATH_MAX_LENGTH 3072
#define DEFAULT_PREFIX "brig"

static int fs_path(struct plan_builder *builder, const char *asked, struct error *err)
{
	const char *path = path_normalise(builder->arena, asked);

	if (!path)
		return error_memory(err);
	if (path[1] == '\0')
		return error_invalid(err, "linux.cgroupsPath: \"%.200s\" is the root of all groups; name one below it",
				     asked);
	if (strlen(path) > PATH_MAX_LENGTH)
		return error_invalid(err, "linux.cgroupsPath: has %zu bytes, %d are the most", strlen(path),
				     PATH_MAX_LENGTH);
	builder->plan->cgroup.path = path + 1;
	return 0;
}

/* "slice:prefix:name", as the systemd driver takes it apart. */
static int systemd_path(struct plan_builder *builder, const char *asked, struct error *err)
{
	const char *first = strchr(asked, ':'), *second = first ? strchr(first + 1, ':') : NULL;

	if (!second || strchr(second + 1, ':') || second[1] == '\0' || strchr(asked, '/'))
		return error_invalid(err,
				     "linux.cgroupsPath: \"%.200s\" is not of the form slice:prefix:name, which systemd as the "
				     "cgroup manager needs",
				     asked);
	return plan_builder_copy(builder, asked, &builder->plan->cgroup.path, err);
}

static int build_path(struct plan_builder *builder, struct error *err)
{
	const char *asked = builder->spec->linux_.cgroups_path, *id = builder->request->id;
	bool systemd = builder->request->cgroup_manager == PLAN_CGROUP_SYSTEMD;
	char *path;

	if (asked)
		return systemd ? systemd_path(builder, asked, err) : fs_path(builder, asked, err);
	path = systemd ? plan_builder_text(builder, err, "%s:%s:%s",
					   builder->host->euid ? "user.slice" : "system.slice", DEFAULT_PREFIX, id)
		       : plan_builder_text(builder, err, "%s-%s", DEFAULT_PREFIX, id);
	builder->plan->cgroup.path = path;
	return path ? 0 : -ENOMEM;
}

/* OCI config-linux.md "Cgroup ownership": its own cgroup namespace, and /sys/fs/cgroup mounted read-write. */
static void build_owner(struct plan_builder *builder)
{
	const struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_cgroup *cgroup = &builder->plan->cgroup;
	uint32_t owner;

	if (builder->host->cgroup_layout != HOST_CGROUP_V2 || cgroup->manager == PLAN_CGROUP_DISABLED ||
	    plan_builder_namespace(builder, CLONE_NEWCGROUP) != PLAN_NAMESPACE_NEW ||
	    plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_NEW)
		return;
	if (!plan_id_map_find(&builder->uids, builder->plan->process.uid, &owner))
		return;
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		const struct plan_mount *mount = &rootfs->mounts[i];

		if (mount->kind != PLAN_MOUNT_CGROUP || strcmp(mount->destination, "/sys/fs/cgroup") != 0)
			continue;
		cgroup->delegate = !((mount->attr_set | mount->rattr_set) & MOUNT_ATTR_RDONLY);
		cgroup->owner_uid = owner;
	}
}

enum plan_cgroup_manager plan_cgroup_manager(const struct plan_builder *builder)
{
	enum plan_cgroup_manager asked = builder->request->cgroup_manager;
	bool is_new = !builder->exec && !builder->update;

	if (asked == PLAN_CGROUP_FS && is_new && builder->host->cgroup_closed && !builder->spec->linux_.cgroups_path)
		return PLAN_CGROUP_DISABLED;
	return asked;
}

const char *plan_cgroup_why_none(const struct plan_builder *builder)
{
	if (builder->request->no_cgroup_why)
		return builder->request->no_cgroup_why;
	return builder->request->cgroup_manager == PLAN_CGROUP_DISABLED && !builder->host->cgroup_closed
		       ? "limits take a cgroup, and --cgroup-manager=disabled says to make none"
		       : "limits take a cgroup, and this user may make none at the top of /sys/fs/cgroup: have root hand over one "
			 "below it and name it in linux.cgroupsPath, or use --systemd-cgroup";
}

/* Going without a cgroup may have been chosen, but not what that costs. */
static int report_unlimited(struct plan_builder *builder, struct error *err)
{
	const struct plan_resources *asked = &builder->plan->cgroup.resources;
	struct report_line line = { .where = "linux.resources",
				    .asked = "limits",
				    .applied = "none of them",
				    .why = plan_cgroup_why_none(builder) };

	if (builder->plan->cgroup.manager != PLAN_CGROUP_DISABLED ||
	    !(asked->set || asked->cpus || asked->mems || asked->n_throttles || asked->n_hugepages || asked->n_rdma ||
	      asked->n_unified))
		return 0;
	return plan_withheld_report(builder, POLICY_CGROUP_DISABLED, &line, err);
}

int plan_cgroup_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_resources *asked = builder->resources;
	struct plan_cgroup *cgroup = &builder->plan->cgroup;
	int rc;

	cgroup->manager = plan_cgroup_manager(builder);
	rc = build_path(builder, err);
	if (rc < 0 || builder->exec)
		return rc;
	rc = plan_resources_build(asked, builder->host, &cgroup->resources, builder->report, err);
	/* Whoever fills in a struct leaves 0 for "not given", as with the other limits: what takes a limit away is -1. */
	if (builder->update && cgroup->resources.pids == 0)
		cgroup->resources.set &= ~(unsigned)PLAN_PIDS;
	/* A new group allows no other devices, whether or not config.json has rules. */
	if (rc >= 0 && asked->n_devices == 0 && !builder->update && cgroup->manager != PLAN_CGROUP_DISABLED)
		rc = plan_resources_devices_build(asked, builder->host, &cgroup->resources, builder->report, err);
	if (rc >= 0)
		rc = report_unlimited(builder, err);
	if (rc >= 0 && !builder->update)
		build_owner(builder);
	if (rc >= 0 && !builder->update && cgroup->manager == PLAN_CGROUP_SYSTEMD)
		rc = plan_cgroup_properties_build(builder, err);
	return rc;
}
