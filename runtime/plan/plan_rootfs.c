/* root, rootfsPropagation, maskedPaths and readonlyPaths; and who owns the mount namespace (docs/adr/0006). */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "plan/plan_builder.h"
#include "plan/plan_harden.h"
#include "plan/plan_mount_label.h"

/* linux.maskedPaths or linux.readonlyPaths. */
struct path_list {
	const char *where;
	const char *const *paths;
	size_t n;
};

static int build_paths(struct plan_builder *builder, const struct path_list *asked, const char *const **ret,
		       size_t *ret_n, struct error *err)
{
	const char **list = arena_array_of(builder->arena, asked->n, const char *);

	if (!list)
		return error_memory(err);
	for (size_t i = 0; i < asked->n; i++) {
		list[i] = path_normalise(builder->arena, asked->paths[i]);
		if (!list[i])
			return error_memory(err);
		if (list[i][1] == '\0')
			return error_invalid(
				err, "%s[%zu]: \"%.200s\" is the container's root (root.readonly makes it read-only)",
				asked->where, i, asked->paths[i]);
	}
	*ret = list;
	*ret_n = asked->n;
	return 0;
}

static int build_root(struct plan_builder *builder, struct error *err)
{
	const struct spec_root *root = &builder->spec->root;
	struct plan_rootfs *plan = &builder->plan->rootfs;

	plan->readonly = root->readonly;
	plan->idmap = builder->floor_userns;
	if (root->path[0] == '/')
		return plan_builder_copy(builder, root->path, &plan->path, err);
	plan->path = plan_builder_text(builder, err, "%s/%s", builder->request->bundle, root->path);
	return plan->path ? 0 : -ENOMEM;
}

static int build_propagation(struct plan_builder *builder, struct error *err)
{
	uint64_t asked = builder->spec->linux_.rootfs_propagation;

	/* Without pivot_root the host's mounts stay in the namespace, and a private one would pin what the host unmounts. */
	if (builder->request->no_pivot && (asked & MS_PRIVATE))
		return error_invalid(
			err, "linux.rootfsPropagation: private is not safe together with --no-pivot; use rslave");
	builder->plan->rootfs.propagation = asked;
	builder->plan->rootfs.no_pivot = builder->request->no_pivot;
	return 0;
}

/* Mounts that the container's own user namespace makes it can undo. The floor's has them made outside of it; so has config.json's
 * own where the policy is about what mounts allow. It takes the host's privileges. */
static bool is_locked(const struct plan_builder *builder)
{
	bool is_new = plan_builder_namespace(builder, CLONE_NEWUSER) == PLAN_NAMESPACE_NEW;

	return plan_builder_can_on_host(builder, CAP_SYS_ADMIN) &&
	       (builder->floor_userns || (is_new && plan_harden_level(builder, POLICY_MOUNT_FLAGS) != POLICY_OFF));
}

int plan_rootfs_build(struct plan_builder *builder, struct error *err)
{
	const struct spec_linux *linux_ = &builder->spec->linux_;
	struct plan_rootfs *plan = &builder->plan->rootfs;
	struct path_list masked = { "linux.maskedPaths", linux_->masked_paths, linux_->n_masked_paths };
	struct path_list readonly = { "linux.readonlyPaths", linux_->readonly_paths, linux_->n_readonly_paths };
	int rc = build_root(builder, err);

	plan->locked = is_locked(builder);
	if (rc >= 0)
		rc = build_propagation(builder, err);
	if (rc >= 0)
		rc = build_paths(builder, &masked, &plan->masked, &plan->n_masked, err);
	if (rc >= 0)
		rc = build_paths(builder, &readonly, &plan->readonly_paths, &plan->n_readonly_paths, err);
	return rc < 0 ? rc : plan_mount_label_build(builder, err);
}
