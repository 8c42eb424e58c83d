/* The floor's second lock on the file system, where the root is read-only: writing works in the writable mounts alone, whatever becomes
 * of mount flags; and nobody makes device nodes or changes mounts. See docs/adr/0010-landlock.md. */
#include <string.h>

#include "base/syscalls.h"
#include "plan/plan_harden.h"

/* Before it, every rename and link from one directory to another was refused, which programs do not survive (landlock(7)). */
#define LEAST_VERSION 2

static bool may_be_written(const struct plan_mount *mount)
{
	return !((mount->attr_set | mount->rattr_set) & MOUNT_ATTR_RDONLY);
}

static int list_places(struct plan_builder *builder, struct error *err)
{
	const struct plan_rootfs *rootfs = &builder->plan->rootfs;
	struct plan_landlock *landlock = &builder->plan->landlock;
	struct plan_landlock_place *places = arena_array_of(builder->arena, rootfs->n_mounts, struct plan_landlock_place);

	if (!places)
		return error_memory(err);
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (may_be_written(&rootfs->mounts[i]))
			places[landlock->n_places++] = (struct plan_landlock_place){ rootfs->mounts[i].destination, i };
	}
	landlock->places = places;
	return 0;
}

static int use(struct plan_builder *builder, struct error *err)
{
	const struct report_line line = { .level = REPORT_NOTE,
					  .rule = policy_rule_name(POLICY_LANDLOCK),
					  .where = "root.readonly",
					  .asked = "a read-only root file system",
					  .applied = "it, and a second lock on the file system (Landlock)",
					  .why = "it holds whatever becomes of the flags of mounts" };
	const struct plan_request *request = builder->request;
	struct plan_landlock *landlock = &builder->plan->landlock;
	int rc;

	if (builder->exec)
		*landlock = *request->landlock;
	landlock->version = builder->host->landlock;
	landlock->enabled = true;
	/* A lock that holds for some of the container's processes is none. */
	builder->plan->process.no_new_privileges = true;
	if (builder->exec)
		return 0;
	rc = list_places(builder, err);
	return rc < 0 ? rc : report_add(builder->report, &line, err);
}

/* It restricts a process for good, and only one that can gain no privileges any more, or that has them all. */
static const char *obstacle(const struct plan_builder *builder)
{
	if (builder->host->landlock < LEAST_VERSION)
		return "this kernel has no Landlock of version 2 or later (Linux 5.19), or it was not enabled at boot (lsm=)";
	if (!builder->plan->process.no_new_privileges && !builder->exec)
		return "the process may gain privileges";
	return NULL;
}

int plan_harden_landlock(struct plan_builder *builder, struct error *err)
{
	struct report_line line = { .where = "the container",
				    .asked = "a second lock on its file system (Landlock)",
				    .applied = "none",
				    .why = obstacle(builder) };
	bool adjust;

	/* What the container has each process in it has, whatever the policy says by now. */
	if (builder->exec && !builder->request->landlock)
		return 0;
	if ((plan_harden_level(builder, POLICY_LANDLOCK) == POLICY_OFF && !builder->exec) || !builder->process)
		return 0;
	/* With a writable root there is nothing to guard, and it has a price: an exec could not look at the program's /proc entries. */
	if (!builder->exec && !builder->plan->rootfs.readonly)
		return 0;
	if (!line.why)
		return use(builder, err);
	return plan_harden_find(builder, POLICY_LANDLOCK, &line, &adjust, err);
}
