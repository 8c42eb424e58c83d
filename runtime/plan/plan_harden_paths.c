/* The floor's rule about what the kernel's own file systems show: masked and read-only paths. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "plan/plan_harden.h"

/* What engines mask by default, the newest of them, and why. The throttling counters of each processor, which Docker masks since
 * the same advisory as /proc/interrupts, are left out: there is one directory a processor, and each mask costs a mount. */
static const char *const masked[] = {
	"/proc/acpi",			 /* writing to it puts the machine to sleep */
	"/proc/asound",			 /* what sound is played, and by whom */
	"/proc/interrupts",		 /* others' keystrokes, by their timing */
	"/proc/kcore",			 /* the kernel's memory */
	"/proc/keys",			 /* names of keys of the same user in other containers */
	"/proc/latency_stats",		 /* what other processes wait for */
	"/proc/sched_debug",		 /* all processes of the host */
	"/proc/scsi",			 /* a write takes a disk away */
	"/proc/timer_list",		 /* kernel addresses, other processes' timers */
	"/proc/timer_stats",		 /* the same, on old kernels */
	"/sys/devices/virtual/powercap", /* what other programs compute, by the energy they use (CVE-2020-8694) */
	"/sys/firmware",		 /* tables and variables of the firmware */
};

/* Of the host's root alone, by their mode and without a capability: who has a user namespace of their own can't read them anyway, or
 * write to them. */
static const char *const of_root[] = {
	"/proc/allocinfo",     /* which code of the kernel's has how much memory */
	"/proc/dynamic_debug", /* a write makes the kernel log whatever it does */
	"/proc/kpagecgroup",   /* which page of the memory is whose */
	"/proc/kpagecount",    /* the same */
	"/proc/kpageflags",    /* the same */
	"/proc/pagetypeinfo",  /* how the kernel's memory lies, which attacks on it have to know */
	"/proc/slabinfo",      /* the same */
	"/proc/tty/driver",    /* how many letters came by a serial line: lengths of passwords */
	"/proc/vmallocinfo",   /* kernel addresses */
};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

struct union_of {
	const char *where;
	const char *const *ours;
	size_t n_ours;
	const char *const **list; /* the plan's */
	size_t *n;
	const char *applied, *why;
	bool unless_mounted;
};

static bool is_covered(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (path_is_below(path, list[i]))
			return true;
	}
	return false;
}

/* As lxcfs has a slabinfo of its own: what is mounted there, and stays to be seen, is another rule's matter. */
static bool is_mounted(const struct plan_rootfs *rootfs, const char *path)
{
	for (size_t i = 0; i < rootfs->n_mounts; i++) {
		if (strcmp(rootfs->mounts[i].destination, path) == 0 && plan_mount_is_on_top(rootfs, i))
			return true;
	}
	return false;
}

static int unite(struct plan_builder *builder, const struct union_of *paths, struct error *err)
{
	const struct plan_rootfs *rootfs = &builder->plan->rootfs;
	const char **all = arena_array_of(builder->arena, *paths->n + paths->n_ours, const char *), *names = "";
	struct report_line line = { .where = paths->where, .applied = paths->applied, .why = paths->why };
	size_t n = *paths->n;
	bool adjust;
	int rc;

	if (!all)
		return error_memory(err);
	if (n)
		memcpy(all, *paths->list, n * sizeof(*all));
	for (size_t i = 0; names && i < paths->n_ours; i++) {
		/* What is masked can't be written to either. */
		if (is_covered(paths->ours[i], *paths->list, *paths->n) ||
		    is_covered(paths->ours[i], rootfs->masked, rootfs->n_masked) ||
		    (paths->unless_mounted && is_mounted(rootfs, paths->ours[i])))
			continue;
		all[n++] = paths->ours[i];
		names = plan_builder_text(builder, err, "%s%s%s", names, *names ? ", " : "", paths->ours[i]);
	}
	if (!names || n == *paths->n)
		return names ? 0 : -ENOMEM;
	line.asked = plan_builder_text(builder, err, "%s as they are", names);
	if (!line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_MASKED_PATH, &line, &adjust, err);
	if (rc >= 0 && adjust) {
		*paths->list = all;
		*paths->n = n;
	}
	return rc;
}

/* NULL: it may be written to. In a user namespace of its own the container's root owns no limit of its group. */
static const char *why_read_only(const struct plan_builder *builder, const struct plan_mount *mount)
{
	if (mount->kind == PLAN_MOUNT_CGROUP && !plan_harden_has_user_namespace(builder))
		return "its files belong to the host's root, as who the container's root can lift its own limits";
	return mount->kind == PLAN_MOUNT_FILESYSTEM && strcmp(mount->type, "sysfs") == 0
		       ? "writing there changes the host"
		       : NULL;
}

static int make_read_only(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	struct report_line line = { .applied = "read-only", .why = why_read_only(builder, mount) };
	bool adjust;
	int rc;

	if (!line.why || mount->attr_set & MOUNT_ATTR_RDONLY)
		return 0;
	line.where = plan_builder_text(builder, err, "%s.options", mount->where);
	line.asked = plan_builder_text(builder, err, "a %s that can be written to", mount->type);
	if (!line.where || !line.asked)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_MASKED_PATH, &line, &adjust, err);
	if (rc >= 0 && adjust) {
		mount->attr_clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		mount->attr_set |= MOUNT_ATTR_RDONLY;
	}
	return rc;
}

int plan_harden_masked_path(struct plan_builder *builder, struct error *err)
{
	struct plan_rootfs *rootfs = &builder->plan->rootfs;
	const struct union_of lists[] = {
		{ "linux.maskedPaths", masked, ARRAY_SIZE(masked), &rootfs->masked, &rootfs->n_masked, "masked",
		  "they tell of the host, or let it be changed" },
		{ "linux.readonlyPaths", read_only, ARRAY_SIZE(read_only), &rootfs->readonly_paths,
		  &rootfs->n_readonly_paths, "read-only", "writing there changes the host" },
	};
	const struct union_of more = { "linux.maskedPaths",
				       of_root,
				       ARRAY_SIZE(of_root),
				       &rootfs->masked,
				       &rootfs->n_masked,
				       "masked",
				       "without a user namespace the container's root is who may read them",
				       .unless_mounted = true };
	struct plan_mount *mounts = (struct plan_mount *)rootfs->mounts;
	int rc = unite(builder, &lists[0], err);

	if (rc >= 0 && !plan_harden_has_user_namespace(builder))
		rc = unite(builder, &more, err);
	if (rc >= 0)
		rc = unite(builder, &lists[1], err);
	for (size_t i = 0; rc >= 0 && i < rootfs->n_mounts; i++)
		rc = make_read_only(builder, &mounts[i], err);
	return rc;
}
