/* mounts: each entry as what to make, who makes it, and with which ids. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/syscalls.h"
#include "plan/plan_builder.h"
#include "plan/plan_id_map.h"
#include "plan/plan_mount_kinds.h"
#include "plan/plan_mount_options.h"

/* What lxcfs and its kin may be bound over: single files that inform, nothing that a runtime reads or writes. */
static const char *const proc_files[] = {
	"/proc/cpuinfo", "/proc/meminfo", "/proc/stat",	    "/proc/uptime",    "/proc/loadavg",
	"/proc/swaps",	 "/proc/net/dev", "/proc/slabinfo", "/proc/diskstats", "/proc/sys/kernel/ns_last_pid",
};

static bool may_lie_in_proc(const struct plan_mount *mount)
{
	/* Over all of /proc: a procfs, be it a new one or the host's own where that is shared anyway. */
	if (strcmp(mount->destination, "/proc") == 0)
		return mount->kind == PLAN_MOUNT_BIND ? strcmp(mount->source, "/proc") == 0
						      : strcmp(mount->type, "proc") == 0;
	if (mount->kind != PLAN_MOUNT_BIND)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++) {
		if (strcmp(mount->destination, proc_files[i]) == 0)
			return true;
	}
	return false;
}

/* A volume over a part of /proc once made a runtime write its labels into a file of the image (CVE-2019-16884). */
static int check_proc(const struct plan_mount *mount, struct error *err)
{
	if (!path_is_below(mount->destination, "/proc") || may_lie_in_proc(mount))
		return 0;
	return error_set(
		err, ERROR_REFUSED, EPERM,
		"%s.destination: \"%.200s\" lies in /proc, where only a procfs itself and files such as /proc/meminfo may "
		"be mounted",
		mount->where, mount->destination);
}

static int build_destination(struct plan_builder *builder, const struct plan_mount_asked *asked, struct plan_mount *ret,
			     struct error *err)
{
	const char *destination = asked->spec->destination;
	struct report_line line = { REPORT_NOTE, "mount-relative",
				    ret->where,	 NULL,
				    NULL,	 "a relative destination begins at the container's root" };

	ret->destination = path_normalise(builder->arena, destination);
	if (!ret->destination)
		return error_memory(err);
	if (strcmp(ret->destination, "/") == 0)
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"%s.destination: \"%.200s\" is the root of the container; name its file system in root.path",
			ret->where, destination);
	if (destination[0] == '/')
		return 0;
	line.applied = ret->destination;
	if (plan_builder_copy(builder, destination, &line.asked, err) < 0)
		return -ENOMEM;
	return report_add(builder->report, &line, err);
}

/* As text: folding ".." would name another place where a symbolic link is in the way. */
static int build_bind_source(struct plan_builder *builder, const struct plan_mount_asked *asked, struct plan_mount *ret,
			     struct error *err)
{
	const char *source = asked->spec->source;

	if (!source)
		return error_invalid(err, "%s.source: is missing; a bind mount needs the path of what to bind",
				     ret->where);
	if (source[0] == '/')
		return plan_builder_copy(builder, source, &ret->source, err);
	ret->source = plan_builder_text(builder, err, "%s/%s", builder->request->bundle, source);
	return ret->source ? 0 : -ENOMEM;
}

static bool is_nothing(const char *type)
{
	return !type || strcmp(type, "none") == 0;
}

static int build_kind(struct plan_builder *builder, const struct plan_mount_asked *asked, struct plan_mount *ret,
		      struct error *err)
{
	const char *type = asked->spec->type;

	if (ret->kind != PLAN_MOUNT_BIND && type && strcmp(type, "bind") == 0)
		ret->kind = PLAN_MOUNT_BIND;
	if (ret->kind == PLAN_MOUNT_BIND)
		return build_bind_source(builder, asked, ret, err);
	if (is_nothing(type))
		return error_invalid(err, "%s.type: is missing; name a type of file system, or \"bind\"", ret->where);
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		ret->kind = PLAN_MOUNT_CGROUP;
	if (plan_builder_copy(builder, asked->spec->source, &ret->source, err) < 0)
		return -ENOMEM;
	return plan_builder_copy(builder, type, &ret->type, err);
}

/* Where config.json asks for no user namespace, it means ids as the container sees them. */
static int move_into_floor(const struct plan_id_map *map, const struct plan_id_map *container, const char *where,
			   struct error *err)
{
	struct plan_id_range *ranges = (struct plan_id_range *)map->ranges;
	uint32_t last;

	for (size_t i = 0; i < map->n_ranges; i++) {
		uint32_t asked = ranges[i].outside;

		if (!ranges[i].count || !plan_id_map_find(container, asked + (ranges[i].count - 1), &last) ||
		    !plan_id_map_find(container, asked, &ranges[i].outside))
			return error_set(
				err, ERROR_REFUSED, EPERM,
				"%s: maps ids to hostID %u and %u more; a container in a user namespace of the floor's has "
				"the ids from 0 to %u alone",
				where, asked, ranges[i].count, container->ranges[0].count - 1);
	}
	return 0;
}

static int build_id_map(struct plan_builder *builder, const struct plan_mount_asked *asked, struct plan_mount *ret,
			struct error *err)
{
	const struct spec_mount *spec = asked->spec;
	int rc;

	/* Mappings alone ask for it too: the option is newer than they are (OCI 1.1, 1.2). */
	ret->idmap |= spec->n_uid_mappings + spec->n_gid_mappings > 0;
	if (!ret->idmap)
		return 0;
	if (ret->kind != PLAN_MOUNT_BIND)
		return error_invalid(err, "%s: only a bind mount can have its ids mapped, this is a new %s", ret->where,
				     ret->type);
	if (!spec->n_uid_mappings && plan_builder_namespace(builder, CLONE_NEWUSER) == PLAN_NAMESPACE_HOST)
		return error_invalid(err,
				     "%s: asks for %s, but has no uidMappings and gidMappings, and there is no user namespace "
				     "whose maps could serve",
				     ret->where, ret->idmap_recursive ? "ridmap" : "idmap");
	if (!plan_builder_can(builder, CAP_SYS_ADMIN))
		return error_set(err, ERROR_UNSUPPORTED, EPERM, "%s: mapping the ids of a mount takes CAP_SYS_ADMIN",
				 ret->where);
	rc = plan_namespaces_copy_map(builder, spec->uid_mappings, spec->n_uid_mappings, &ret->uids, err);
	if (rc < 0)
		return rc;
	rc = plan_namespaces_copy_map(builder, spec->gid_mappings, spec->n_gid_mappings, &ret->gids, err);
	if (rc >= 0 && builder->floor_userns)
		rc = move_into_floor(&ret->uids, &builder->uids, ret->where, err);
	if (rc >= 0 && builder->floor_userns)
		rc = move_into_floor(&ret->gids, &builder->gids, ret->where, err);
	return rc;
}

/* Other runtimes hand unknown options of a bind mount to the kernel, which ignores them. Some words engines have for themselves,
 * and podman leaves them in: whether a volume is filled from the image, how fresh it has to be. */
static int check_bind_options(const struct plan_mount *mount, struct error *err)
{
	static const char *const ignored[] = { "sync",	 "dirsync", "lazytime",	  "mand",     "copy",
					       "nocopy", "cached",  "consistent", "delegated" };

	for (size_t i = 0; i < mount->n_options; i++) {
		const struct plan_mount_option *option = &mount->options[i];
		size_t word = 0;

		while (word < ARRAY_SIZE(ignored) && strcmp(option->key, ignored[word]) != 0)
			word++;
		if (!option->value && word < ARRAY_SIZE(ignored))
			continue;
		return error_invalid(err, "%s.options: \"%.100s\" means nothing for a bind mount; leave it out",
				     mount->where, option->key);
	}
	return 0;
}

/* With the floor's user namespace the container's root is another id on the host. The mount translates (mount_setattr(2),
 * MOUNT_ATTR_IDMAP), so that files stay whose they were. */
static void map_for_floor(struct plan_builder *builder, const struct spec_mount *asked, struct plan_mount *ret)
{
	if (ret->idmap || !plan_userns_maps(builder, asked))
		return;
	ret->idmap = ret->idmap_by_floor = true;
	ret->idmap_recursive = ret->recursive;
}

static int finish_bind(struct plan_builder *builder, struct plan_mount *ret, struct error *err)
{
	uint64_t of_root = builder->spec->linux_.rootfs_propagation;
	int rc = check_bind_options(ret, err);

	/* Nothing that is mounted inside may show outside unless that is asked for; what the host mounts later may come in. */
	if (ret->propagation == 0) {
		ret->propagation = of_root & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
		ret->propagation_recursive = true;
	}
	ret->options = NULL;
	ret->n_options = 0;
	ret->maker = plan_builder_can(builder, CAP_SYS_ADMIN) ? PLAN_MAKER_PARENT : PLAN_MAKER_CHILD;
	return rc;
}

static int build_one(struct plan_builder *builder, const struct plan_mount_asked *asked, struct plan_mount *ret,
		     struct error *err)
{
	int rc;

	*ret = (struct plan_mount){ .kind = PLAN_MOUNT_FILESYSTEM, .where = asked->where, .target_mode = 0755 };
	rc = build_destination(builder, asked, ret, err);
	if (rc >= 0)
		rc = plan_mount_options_parse(builder, asked, ret, err);
	if (rc >= 0)
		rc = build_kind(builder, asked, ret, err);
	if (rc >= 0)
		rc = check_proc(ret, err);
	if (rc >= 0)
		rc = build_id_map(builder, asked, ret, err);
	if (rc < 0)
		return rc;
	if (ret->kind == PLAN_MOUNT_BIND)
		map_for_floor(builder, asked->spec, ret);
	if (ret->copy_up && (ret->kind != PLAN_MOUNT_FILESYSTEM || strcmp(ret->type, "tmpfs") != 0))
		return error_invalid(err, "%s.options: tmpcopyup is for a tmpfs alone", ret->where);
	return ret->kind == PLAN_MOUNT_BIND ? finish_bind(builder, ret, err) : plan_mount_kinds_finish(builder, ret, err);
}

static struct plan_mount *find_destination(struct plan_mount *list, size_t n, const char *destination)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].destination, destination) == 0)
			return &list[i];
	}
	return NULL;
}

/* What config.json says comes first. A tmpfs alone says no more than that something writable is to be there. */
static int build_shared(struct plan_builder *builder, struct plan_mount *list, size_t *n, struct error *err)
{
	const struct plan_request *request = builder->request;

	for (size_t i = 0; i < request->n_shared_mounts; i++) {
		struct plan_mount_asked asked = { .spec = &request->shared_mounts[i] };
		struct plan_mount mount, *found;
		int rc;

		asked.where = plan_builder_text(builder, err, "the pod's %s", asked.spec->destination);
		rc = asked.where ? build_one(builder, &asked, &mount, err) : -ENOMEM;
		if (rc < 0)
			return rc;
		mount.ours = true;
		found = find_destination(list, *n, mount.destination);
		if (!found)
			list[(*n)++] = mount;
		else if (found->kind == PLAN_MOUNT_FILESYSTEM && strcmp(found->type, "tmpfs") == 0)
			*found = mount;
	}
	return 0;
}

int plan_mounts_build(struct plan_builder *builder, struct error *err)
{
	const struct spec *spec = builder->spec;
	size_t n = spec->n_mounts;
	struct plan_mount *list =
		arena_array_of(builder->arena, n + builder->request->n_shared_mounts, struct plan_mount);
	struct plan_mount_asked asked;
	int rc = list ? 0 : error_memory(err);

	for (size_t i = 0; rc >= 0 && i < spec->n_mounts; i++) {
		asked.spec = &spec->mounts[i];
		asked.where = plan_builder_text(builder, err, "mounts[%zu]", i);
		rc = asked.where ? build_one(builder, &asked, &list[i], err) : -ENOMEM;
	}
	if (rc >= 0)
		rc = build_shared(builder, list, &n, err);
	builder->plan->rootfs.mounts = list;
	builder->plan->rootfs.n_mounts = n;
	return rc;
}
