/* The floor's rules about what mounts allow: no set-user-ID programs and devices in volumes, nothing that shows on the host. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/syscalls.h"
#include "plan/plan_harden.h"

#define BOTH ((uint64_t)(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV))

/* A device that is bound has to work, as have the terminals of a devpts and the nodes of /dev. */
static uint64_t flags_of(const struct plan_builder *builder, const struct plan_mount *mount, size_t i)
{
	const struct host_source *sources = builder->request->sources;
	bool is_new = mount->kind == PLAN_MOUNT_FILESYSTEM;

	if (is_new && (mount->is_dev || strcmp(mount->type, "devpts") == 0))
		return MOUNT_ATTR_NOSUID;
	if (!is_new && sources && i < builder->spec->n_mounts && sources[i].known &&
	    (S_ISCHR(sources[i].mode) || S_ISBLK(sources[i].mode)))
		return MOUNT_ATTR_NOSUID;
	return BOTH;
}

static bool has(const struct plan_mount *mount, uint64_t flags)
{
	uint64_t all = mount->rattr_set & ~mount->attr_clear;
	uint64_t below = mount->recursive ? mount->rattr_set : all | mount->attr_set;

	return ((all | mount->attr_set) & flags) == flags && (below & flags) == flags;
}

static void set_flags(struct plan_mount *mount, uint64_t flags)
{
	mount->attr_clear &= ~flags;
	mount->rattr_clear &= ~flags;
	mount->attr_set |= flags;
	if (mount->recursive)
		mount->rattr_set |= flags;
}

static const char *flags_text(uint64_t flags)
{
	if (flags == BOTH)
		return "nosuid, nodev";
	return flags == MOUNT_ATTR_NOSUID ? "nosuid" : "nodev";
}

static const char *missing_text(uint64_t flags)
{
	if (flags == BOTH)
		return "set-user-ID programs and devices in it";
	return flags == MOUNT_ATTR_NOSUID ? "set-user-ID programs in it" : "devices in it";
}

static uint64_t missing_of(const struct plan_mount *mount, uint64_t wanted)
{
	uint64_t missing = 0;

	for (uint64_t flag = 1; flag <= wanted; flag <<= 1) {
		if (wanted & flag && !has(mount, flag))
			missing |= flag;
	}
	return missing;
}

static int harden_flags(struct plan_builder *builder, struct plan_mount *mount, uint64_t missing, struct error *err)
{
	struct report_line line = { .asked = missing_text(missing),
				    .applied = flags_text(missing),
				    .why = "nothing in a volume may have more rights than the container's program" };
	bool adjust = mount->ours;
	int rc = 0;

	line.where = plan_builder_text(builder, err, "%s.options", mount->where);
	if (!line.where)
		return -ENOMEM;
	if (!mount->ours)
		rc = plan_harden_find(builder, POLICY_MOUNT_FLAGS, &line, &adjust, err);
	if (rc >= 0 && adjust)
		set_flags(mount, missing);
	return rc;
}

int plan_harden_mount_flags(struct plan_builder *builder, struct error *err)
{
	struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_mount *list = (struct plan_mount *)rootfs->mounts;
	int rc = 0;

	if (plan_harden_level(builder, POLICY_MOUNT_FLAGS) == POLICY_OFF)
		return 0;
	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++) {
		uint64_t missing = missing_of(&list[i], flags_of(builder, &list[i], i));

		if (missing)
			rc = harden_flags(builder, &list[i], missing, err);
	}
	return rc;
}

static int check_propagation(struct plan_builder *builder, const char *where, uint64_t *propagation, struct error *err)
{
	struct report_line line = { .where = where,
				    .asked = "shared",
				    .applied = "slave",
				    .why = "what is mounted inside would show on the host" };
	bool adjust;
	int rc;

	if (!(*propagation & MS_SHARED))
		return 0;
	rc = plan_harden_find(builder, POLICY_MOUNT_PROPAGATION, &line, &adjust, err);
	if (rc >= 0 && adjust)
		*propagation = (*propagation & ~(uint64_t)MS_SHARED) | MS_SLAVE;
	return rc;
}

int plan_harden_mount_propagation(struct plan_builder *builder, struct error *err)
{
	struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_mount *list = (struct plan_mount *)rootfs->mounts;
	int rc = check_propagation(builder, "linux.rootfsPropagation", &rootfs->propagation, err);

	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++) {
		const char *where = plan_builder_text(builder, err, "%s.options", list[i].where);

		rc = where ? check_propagation(builder, where, &list[i].propagation, err) : -ENOMEM;
	}
	return rc;
}
