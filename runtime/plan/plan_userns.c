/* The user namespace that the floor gives to a container whose config.json asks for none. Decided first: all else depends on who
 * root is outside. */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/plan_harden.h"
#include "plan/plan_levels.h"

/* Below that are root and the users of the host itself. */
#define FIRST_FREE_ID 65536u
#define REPORT_ARENA ((size_t)16 * 1024 * 1024)

static const char goes_without[] = "no user namespace, and the capabilities of a container without one";

/* What the kernel shows in them belongs to the host, and nobody expects otherwise. */
static const uint32_t of_kernel[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,	    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
	TRACEFS_MAGIC,	  SECURITYFS_MAGIC, BPF_FS_MAGIC,	NSFS_MAGIC,	     DEVPTS_SUPER_MAGIC,
};

static bool is_of_kernel(const struct host_source *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_kernel); i++) {
		if (of_kernel[i] == source->file_system)
			return true;
	}
	return false;
}

static bool is_bind(const struct spec_mount *mount)
{
	if (mount->type && strcmp(mount->type, "bind") == 0)
		return true;
	for (size_t i = 0; i < mount->n_options; i++) {
		if (strcmp(mount->options[i], "bind") == 0 || strcmp(mount->options[i], "rbind") == 0)
			return true;
	}
	return false;
}

static const struct host_source *source_of(const struct plan_request *request, const struct spec_mount *mount)
{
	const struct spec *spec = request->spec;

	for (size_t i = 0; request->sources && i < spec->n_mounts; i++) {
		if (&spec->mounts[i] == mount)
			return &request->sources[i];
	}
	return NULL;
}

/* As the owner of nothing in it, root inside is one of the others: is that enough? A file that others may read, a directory on a
 * tmpfs, without a disk that would keep whose the files were, in which everybody may do everything. */
static bool serves_unmapped(const struct host_source *source)
{
	if (S_ISREG(source->mode))
		return source->mode & S_IROTH;
	return S_ISDIR(source->mode) && source->file_system == TMPFS_MAGIC &&
	       (source->mode & (S_IRWXU | S_IRWXG | S_IRWXO)) == (S_IRWXU | S_IRWXG | S_IRWXO);
}

/* Device nodes are looked at by number, and lie on a file system that can't be id-mapped. */
static bool is_worth_mapping(const struct host_source *source)
{
	return !S_ISCHR(source->mode) && !S_ISBLK(source->mode) && !is_of_kernel(source);
}

static bool is_unmapped(const struct host_source *source)
{
	return source && source->known && !source->mappable && is_worth_mapping(source) && !serves_unmapped(source);
}

bool plan_userns_maps(const struct plan_builder *builder, const struct spec_mount *mount)
{
	const struct host_source *source = source_of(builder->request, mount);

	if (!builder->floor_userns)
		return false;
	return !source || !source->known || (source->mappable && is_worth_mapping(source));
}

/* ---- is it to be granted? ---- */

static enum plan_namespace_origin configured(const struct spec *spec, uint64_t flag)
{
	const struct plan_builder builder = { .spec = spec };

	return plan_builder_namespace(&builder, flag);
}

static bool is_privileged(const struct host *host)
{
	const struct plan_builder builder = { .host = host };

	return plan_builder_can_on_host(&builder, CAP_SYS_ADMIN);
}

static bool is_possible(const struct plan_builder *builder)
{
	const struct plan_request *request = builder->request;
	bool decides = plan_harden_level(builder, POLICY_VOLUME_UNMAPPED) == POLICY_ADJUST;

	if ((request->root_source.known && !request->root_source.mappable) ||
	    configured(request->spec, CLONE_NEWNS) == PLAN_NAMESPACE_JOINED)
		return false;
	for (size_t i = 0; decides && request->sources && i < request->spec->n_mounts; i++) {
		if (is_bind(&request->spec->mounts[i]) && is_unmapped(&request->sources[i]))
			return false;
	}
	return true;
}

int plan_userns_is_wanted(const struct plan_request *request, bool *ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(REPORT_ARENA);
	struct report report = { .arena = arena };
	struct plan_builder builder = {
		.request = request, .spec = request->spec, .host = request->host, .arena = arena, .report = &report
	};
	int rc = arena ? plan_levels_build(&builder, err) : error_memory(err);

	if (rc >= 0)
		*ret = plan_harden_level(&builder, POLICY_USER_NAMESPACE) == POLICY_ADJUST &&
		       configured(request->spec, CLONE_NEWUSER) == PLAN_NAMESPACE_HOST &&
		       is_privileged(request->host) && is_possible(&builder);
	return rc;
}

/* ---- what can't be mapped ---- */

static int check_root(struct plan_builder *builder, bool *ret_can, struct error *err)
{
	const struct host_source *root = &builder->request->root_source;
	struct report_line line = { .where = "root.path",
				    .applied = goes_without,
				    .why = "this kernel can't map the ids of that mount (of an overlay it can map the layers: "
					   "containerd's shim does)" };
	bool adjust;

	if (!root->known || root->mappable)
		return 0;
	*ret_can = false;
	if (plan_builder_copy(builder, builder->spec->root.path, &line.asked, err) < 0)
		return -ENOMEM;
	return plan_harden_find(builder, POLICY_ROOTFS_UNMAPPED, &line, &adjust, err);
}

static int check_volume(struct plan_builder *builder, size_t i, bool *ret_can, struct error *err)
{
	const struct spec_mount *mount = &builder->spec->mounts[i];
	struct report_line line = { .applied = goes_without,
				    .why = "this kernel can't map the ids of its file system, so that nothing in it would "
					   "belong to the container" };
	bool adjust;
	int rc;

	if (!is_bind(mount) || !is_unmapped(source_of(builder->request, mount)))
		return 0;
	line.where = plan_builder_text(builder, err, "mounts[%zu]", i);
	if (!line.where || plan_builder_copy(builder, mount->source ?: "?", &line.asked, err) < 0)
		return -ENOMEM;
	rc = plan_harden_find(builder, POLICY_VOLUME_UNMAPPED, &line, &adjust, err);
	/* At the levels warn and off the volume is mounted as it is: the namespace matters more. */
	if (rc >= 0 && adjust)
		*ret_can = false;
	return rc;
}

static int check_sources(struct plan_builder *builder, bool *ret_can, struct error *err)
{
	int rc = check_root(builder, ret_can, err);

	for (size_t i = 0; rc >= 0 && builder->request->sources && i < builder->spec->n_mounts; i++)
		rc = check_volume(builder, i, ret_can, err);
	return rc;
}

/* ---- granting it ---- */

static int grant(struct plan_builder *builder, struct error *err)
{
	const struct host_ids *ids = &builder->request->ids;
	struct plan_id_range *range = arena_new_of(builder->arena, struct plan_id_range);

	if (!range)
		return error_memory(err);
	*range = (struct plan_id_range){ .inside = 0, .outside = ids->first, .count = ids->size };
	builder->uids = builder->gids = (struct plan_id_map){ .ranges = range, .n_ranges = 1 };
	builder->floor_userns = true;
	return 0;
}

static int report_granted(struct plan_builder *builder, struct error *err)
{
	const struct host_ids *ids = &builder->request->ids;
	struct report_line line = { .where = "linux.namespaces",
				    .asked = "no user namespace",
				    .why = "root of the host's user namespace is root of the host" };
	bool adjust;

	line.applied = plan_builder_text(builder, err, "%s: 0 to %u are %u to %u of the host",
					 ids->join ? "the pod's" : "one of its own", ids->size - 1, ids->first,
					 ids->first + (ids->size - 1));
	return line.applied ? plan_harden_find(builder, POLICY_USER_NAMESPACE, &line, &adjust, err) : -ENOMEM;
}

static int report_not_granted(struct plan_builder *builder, struct error *err)
{
	struct report_line line = { .where = "linux.namespaces", .asked = "no user namespace", .applied = goes_without };
	bool adjust;

	if (configured(builder->spec, CLONE_NEWNS) == PLAN_NAMESPACE_JOINED)
		line.why = "the mount namespace that it is to join is not its own";
	/* Whoever made that one has seen to it that its root is nobody outside. */
	if (!line.why)
		line.why = builder->host->in_user_namespace ? "brig is in a user namespace that is not the host's itself"
							    : "making one, and mapping ids, takes CAP_SYS_ADMIN";
	return plan_harden_find(builder, POLICY_USER_NAMESPACE, &line, &adjust, err);
}

/* ---- a user namespace that config.json asks for ---- */

static bool is_somebodys(const struct spec_id_mapping *mapping, const struct policy_ids *pool)
{
	uint64_t first = mapping->host_id, end = first + mapping->size;

	return mapping->size &&
	       (first < FIRST_FREE_ID || (first < (uint64_t)pool->first + pool->count && end > pool->first));
}

static const struct spec_id_mapping *find_somebodys(const struct spec_id_mapping *list, size_t n,
						    const struct policy_ids *pool)
{
	for (size_t i = 0; i < n; i++) {
		if (is_somebodys(&list[i], pool))
			return &list[i];
	}
	return NULL;
}

/* Are brig's own ids those of the host? */
static bool is_of_host(const struct plan_builder *builder)
{
	return builder->host->euid == 0 && !builder->host->in_user_namespace;
}

uint32_t plan_userns_least_id(const struct plan_builder *builder)
{
	enum policy_level level = plan_harden_level(builder, POLICY_USER_NAMESPACE);

	return is_of_host(builder) && (level == POLICY_ADJUST || level == POLICY_ENFORCE) ? FIRST_FREE_ID : 0;
}

/* The host's root, one of its users, or what other containers are given, is not a range of one's own. Refused at the level adjust too: the owners of what is in the
 * root file system are config.json's to choose. */
static int check_maps(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	const struct policy_ids pool = policy_ids(builder->request->policy);
	const struct spec_id_mapping *uid = find_somebodys(linux_->uid_mappings, linux_->n_uid_mappings, &pool);
	const struct spec_id_mapping *gid = find_somebodys(linux_->gid_mappings, linux_->n_gid_mappings, &pool);
	const struct spec_id_mapping *found = uid ?: gid;
	enum policy_level level = plan_harden_level(builder, POLICY_USER_NAMESPACE);
	struct report_line line = {
		.where = uid ? "linux.uidMappings" : "linux.gidMappings",
		.why = "ids below 65536 are the host's own users and groups, and those that the policy has for "
		       "user namespaces other containers'"
	};
	bool adjust;

	if (!found || level == POLICY_OFF || !is_of_host(builder))
		return 0;
	line.asked = plan_builder_text(builder, err, "hostID %u", found->host_id);
	if (!line.asked)
		return -ENOMEM;
	if (level != POLICY_ADJUST)
		return plan_harden_find(builder, POLICY_USER_NAMESPACE, &line, &adjust, err);
	return error_set(
		err, ERROR_REFUSED, EPERM,
		"%s: asked for %s, but %s; rule user-namespace of policy %.192s refuses that: map a range from 65536 on, "
		"or leave the user namespace out",
		line.where, line.asked, line.why, policy_name(builder->request->policy));
}

int plan_userns_decide(struct plan_builder *builder, struct error *err)
{
	bool can = true;
	int rc;

	if (configured(builder->spec, CLONE_NEWUSER) != PLAN_NAMESPACE_HOST)
		return builder->exec ? 0 : check_maps(builder, err);
	/* What a container was given when it was made it has: for an exec, and for its hooks. */
	if (builder->exec || plan_harden_level(builder, POLICY_USER_NAMESPACE) != POLICY_ADJUST) {
		struct report_line line = { .where = "linux.namespaces",
					    .asked = "no user namespace",
					    .why = "root of the host's user namespace is root of the host" };
		bool adjust;

		if (builder->request->ids.granted)
			return grant(builder, err);
		return builder->exec ? 0 : plan_harden_find(builder, POLICY_USER_NAMESPACE, &line, &adjust, err);
	}
	rc = check_sources(builder, &can, err);
	if (rc < 0 || !can)
		return rc;
	if (!builder->request->ids.granted)
		return report_not_granted(builder, err);
	rc = grant(builder, err);
	return rc < 0 ? rc : report_granted(builder, err);
}
