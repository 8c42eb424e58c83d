#include "plan/plan_mount_label.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/cleanup.h"

/* The kernel's own, of which there is one for all (or one a namespace): SELinux's policy labels their files one by one, and refuses context=
 * for what is mounted elsewhere with another. Other runtimes label neither proc nor sysfs. */
static const char *const of_the_kernel[] = {
	"proc",	    "sysfs",	 "cgroup",   "cgroup2", "debugfs", "tracefs",	  "securityfs",
	"configfs", "selinuxfs", "efivarfs", "pstore",	"fusectl", "binfmt_misc", "devtmpfs",
};

/* mount(8), "Mount options for SELinux". */
static const char *const label_options[] = { "context", "fscontext", "defcontext", "rootcontext" };

static bool is_one_of(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

bool plan_mount_label_is_option(const char *key)
{
	return is_one_of(label_options, ARRAY_SIZE(label_options), key);
}

int plan_mount_label_build(struct plan_builder *builder, struct error *err)
{
	const char *label = builder->spec->linux_.mount_label;
	struct report_line line = { .where = "linux.mountLabel", .applied = "no label", .why = "this host has no SELinux" };

	if (!label || !*label)
		return 0;
	if (builder->host->selinux)
		return plan_builder_copy(builder, label, &builder->plan->rootfs.mount_label, err);
	if (plan_builder_copy(builder, label, &line.asked, err) < 0)
		return -ENOMEM;
	return plan_withheld_report(builder, POLICY_SELINUX_MISSING, &line, err);
}

/* A file system of message queues is there before it is mounted, with its namespace: too late for options. Its root belongs to whoever made
 * the namespace: in a user namespace of the container's own that is nobody. The host's own is not ours to label. */
static int label_queues(const struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	struct report_line line = { REPORT_ADJUSTED, "mount-label",
				    mount->where,    builder->plan->rootfs.mount_label,
				    "no label",	     "the kernel lets root of a user namespace label no message queues" };

	if (plan_builder_namespace(builder, CLONE_NEWIPC) == PLAN_NAMESPACE_HOST)
		return 0;
	if (plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_HOST && !builder->plan->rootfs.locked)
		return report_add(builder->report, &line, err);
	mount->label = builder->plan->rootfs.mount_label;
	return 0;
}

int plan_mount_label_give(const struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	struct plan_mount_option *list = (struct plan_mount_option *)mount->options;
	const char *label = builder->plan->rootfs.mount_label;

	if (!label || mount->kind != PLAN_MOUNT_FILESYSTEM ||
	    is_one_of(of_the_kernel, ARRAY_SIZE(of_the_kernel), mount->type))
		return 0;
	if (strcmp(mount->type, "mqueue") == 0)
		return label_queues(builder, mount, err);
	for (size_t i = 0; i < mount->n_options; i++) {
		if (plan_mount_label_is_option(list[i].key))
			return 0;
	}
	list[mount->n_options++] = (struct plan_mount_option){ .key = "context", .value = label };
	return 0;
}
