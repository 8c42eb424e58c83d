#include "plan/plan_mount_kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/plan_id_map.h"
#include "plan/plan_mount_label.h"

/* Types that take the view of the namespaces they are mounted in: the child's. */
static const char *const of_the_child[] = { "proc", "mqueue", "devpts", "tmpfs" };

static bool has_user_namespace(const struct plan_builder *builder)
{
	return plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_HOST;
}

/* There is nothing below a new mount. */
static void fold_recursive(struct plan_mount *mount)
{
	mount->attr_set = (mount->attr_set & ~mount->rattr_clear) | mount->rattr_set;
	mount->attr_clear = 0;
	mount->rattr_set = mount->rattr_clear = 0;
	mount->propagation_recursive = false;
}

static enum plan_mount_maker by_privilege(bool parent)
{
	return parent ? PLAN_MAKER_PARENT : PLAN_MAKER_CHILD;
}

/* ---- /dev ---- */

/* "uid=" and "gid=" as config.json has them are the container's numbers, the parent's are the host's. */
static int map_owner(struct plan_builder *builder, struct plan_mount *mount, const char *key, struct error *err)
{
	struct plan_mount_option *list = (struct plan_mount_option *)mount->options, *option = NULL;
	const struct plan_id_map *map = strcmp(key, "uid") == 0 ? &builder->uids : &builder->gids;
	uint32_t outside;
	char *end = NULL;
	unsigned long inside = 0;

	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(list[i].key, key) == 0 && list[i].value)
			option = &list[i];
	}
	if (option)
		inside = strtoul(option->value, &end, 10);
	if (inside > UINT32_MAX || (end && (end == option->value || *end)) ||
	    !plan_id_map_find(map, (uint32_t)inside, &outside))
		return error_invalid(err, "%s.options: \"%s=%.32s\" is not mapped by linux.%sMappings", mount->where,
				     key, option ? option->value : "0", key);
	if (!option)
		option = &list[mount->n_options++];
	option->key = key;
	option->value = plan_builder_text(builder, err, "%u", outside);
	return option->value ? 0 : -ENOMEM;
}

/* Whoever makes it is outside of the container's user namespace. */
static int map_owners(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	int rc = map_owner(builder, mount, "uid", err);

	return rc < 0 ? rc : map_owner(builder, mount, "gid", err);
}

/* Nodes take the privileges of the initial user namespace; in a joined one nobody tells us the maps. */
static int finish_dev(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	mount->is_dev = true;
	mount->maker = by_privilege(
		plan_builder_can_on_host(builder, CAP_SYS_ADMIN) && plan_builder_can_on_host(builder, CAP_MKNOD) &&
		(builder->floor_userns || plan_builder_namespace(builder, CLONE_NEWUSER) != PLAN_NAMESPACE_JOINED));
	if (!has_user_namespace(builder) || (mount->maker == PLAN_MAKER_CHILD && !builder->plan->rootfs.locked))
		return 0;
	return map_owners(builder, mount, err);
}

/* ---- devpts ---- */

/* Every producer of config.json asks for gid 5 (tty); a small user namespace has no such group, and devpts refuses it. */
static int finish_devpts(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	struct plan_mount_option *list = (struct plan_mount_option *)mount->options;
	struct report_line line = { REPORT_ADJUSTED, "devpts-group",
				    mount->where,    NULL,
				    "no gid option", "linux.gidMappings does not map that group" };
	uint32_t outside;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < mount->n_options;) {
		bool is_gid = strcmp(list[i].key, "gid") == 0 && list[i].value && builder->gids.n_ranges;

		if (!is_gid || plan_id_map_find(&builder->gids, (uint32_t)strtoul(list[i].value, NULL, 10), &outside)) {
			if (is_gid && builder->plan->rootfs.locked)
				rc = map_owner(builder, mount, "gid", err);
			i++;
			continue;
		}
		line.asked = plan_builder_text(builder, err, "gid=%s", list[i].value);
		rc = line.asked ? report_add(builder->report, &line, err) : -ENOMEM;
		memmove(&list[i], &list[i + 1], (--mount->n_options - i) * sizeof(*list));
	}
	return rc;
}

/* ---- what shows the host's namespaces ---- */

/* In place of a new file system, the host's with all below it, read-only: where the kernel would refuse the new one. */
static int bind_hosts(struct plan_builder *builder, struct plan_mount *mount, const struct report_line *line,
		      struct error *err)
{
	mount->kind = PLAN_MOUNT_BIND;
	mount->ours = true;
	mount->type = NULL;
	mount->options = NULL;
	mount->n_options = 0;
	mount->recursive = mount->propagation_recursive = true;
	mount->propagation = MS_SLAVE;
	mount->attr_set = mount->attr_clear = mount->rattr_clear = 0;
	mount->rattr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	mount->maker = by_privilege(plan_builder_can(builder, CAP_SYS_ADMIN));
	return report_add(builder->report, line, err);
}

static int bind_sys(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	const struct report_line line = {
		REPORT_ADJUSTED,
		"sysfs-bound",
		mount->where,
		"a new sysfs",
		"the host's /sys, bound read-only with all below it",
		"sysfs shows the network namespace, and a user namespace that does not own it may not mount it"
	};

	mount->source = "/sys";
	return bind_hosts(builder, mount, &line, err);
}

/* Nobody in a user namespace may mount the tree of a cgroup namespace that was there before it. A parent who has made the container's
 * group on the machine shows that alone (prepare.c). */
static int finish_cgroup(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	const struct report_line line = { REPORT_ADJUSTED,
					  "cgroup-bound",
					  mount->where,
					  "a new cgroup file system",
					  "the host's /sys/fs/cgroup, bound read-only with all below it",
					  "without a cgroup namespace of the container's it would be the host's, and a "
					  "user namespace that does not own that may not mount it" };
	bool has_group = plan_builder_can_on_host(builder, CAP_SYS_ADMIN) &&
			 plan_cgroup_manager(builder) != PLAN_CGROUP_DISABLED;

	if (has_group || plan_builder_namespace(builder, CLONE_NEWCGROUP) != PLAN_NAMESPACE_HOST ||
	    !(has_user_namespace(builder) || builder->host->in_user_namespace))
		return 0;
	mount->source = "/sys/fs/cgroup";
	return bind_hosts(builder, mount, &line, err);
}

/* A sysfs takes CAP_SYS_ADMIN in the user namespace that owns the network namespace. */
static int finish_sysfs(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	/* The pod's, which the floor made, does not own what the caller made before it. */
	bool new_user = builder->floor_userns || plan_builder_namespace(builder, CLONE_NEWUSER) == PLAN_NAMESPACE_NEW;

	switch (plan_builder_namespace(builder, CLONE_NEWNET)) {
	case PLAN_NAMESPACE_NEW:
		mount->maker = PLAN_MAKER_CHILD;
		return 0;
	case PLAN_NAMESPACE_JOINED:
		/* Made by somebody else before our user namespace: the parent, which has entered it, still has the right. */
		mount->maker = by_privilege(new_user && plan_builder_can(builder, CAP_SYS_ADMIN));
		return 0;
	case PLAN_NAMESPACE_HOST:
		mount->maker = PLAN_MAKER_CHILD;
		return has_user_namespace(builder) || builder->host->in_user_namespace ? bind_sys(builder, mount, err)
										       : 0;
	}
	return 0;
}

/* ---- the rest ---- */

static bool is_of_the_child(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_the_child); i++) {
		if (strcmp(of_the_child[i], type) == 0)
			return true;
	}
	return false;
}

/* On a disk "ro" has to reach the file system as well: a journal is replayed otherwise. */
static int finish_other(struct plan_builder *builder, struct plan_mount *mount)
{
	struct plan_mount_option *list = (struct plan_mount_option *)mount->options;

	if (mount->attr_set & MOUNT_ATTR_RDONLY)
		list[mount->n_options++] = (struct plan_mount_option){ .key = "ro" };
	mount->maker = by_privilege(plan_builder_can(builder, CAP_SYS_ADMIN) &&
				    (builder->floor_userns || !has_user_namespace(builder)));
	return 0;
}

/* Both show a namespace, and can be mounted by who has privileges over it: where config.json asks for the host's, or for one that
 * was there before the floor's user namespace, that is the parent. Of pid namespaces the parent is in the host's alone. */
static bool is_of_foreign_namespace(const struct plan_builder *builder, const char *type)
{
	if (!builder->floor_userns)
		return false;
	if (strcmp(type, "mqueue") == 0)
		return plan_builder_namespace(builder, CLONE_NEWIPC) != PLAN_NAMESPACE_NEW;
	return strcmp(type, "proc") == 0 && plan_builder_namespace(builder, CLONE_NEWPID) == PLAN_NAMESPACE_HOST;
}

static bool has_option(const struct plan_mount *mount, const char *key)
{
	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(mount->options[i].key, key) == 0)
			return true;
	}
	return false;
}

int plan_mount_kinds_finish(struct plan_builder *builder, struct plan_mount *mount, struct error *err)
{
	int rc = plan_mount_label_give(builder, mount, err);

	if (rc < 0)
		return rc;
	fold_recursive(mount);
	mount->maker = PLAN_MAKER_CHILD;
	if (mount->kind == PLAN_MOUNT_CGROUP)
		return finish_cgroup(builder, mount, err);
	mount->fill = strcmp(mount->type, "tmpfs") == 0;
	mount->keep_mode = strcmp(mount->type, "tmpfs") == 0 && !mount->copy_up && !has_option(mount, "mode");
	if (strcmp(mount->type, "tmpfs") == 0 && strcmp(mount->destination, "/dev") == 0)
		return finish_dev(builder, mount, err);
	if (strcmp(mount->type, "devpts") == 0)
		return finish_devpts(builder, mount, err);
	if (strcmp(mount->type, "sysfs") == 0)
		return finish_sysfs(builder, mount, err);
	if (is_of_foreign_namespace(builder, mount->type))
		mount->maker = PLAN_MAKER_PARENT;
	if (strcmp(mount->type, "tmpfs") == 0 && builder->plan->rootfs.locked)
		return map_owners(builder, mount, err);
	return is_of_the_child(mount->type) ? 0 : finish_other(builder, mount);
}
