#include "container/creation/creation_root.h"

#include <errno.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "container/rootfs_mark.h"
#include "parent/host_idmap.h"
#include "parent/root_mount.h"

#define MEMORY_MAX ((size_t)16 * 1024 * 1024)

/* These run with the host's view, or find their way by root.path (OCI config.md "POSIX-platform Hooks"). */
static bool has_hooks_outside(const struct plan *plan)
{
	return plan->hooks[PLAN_HOOK_PRESTART].n || plan->hooks[PLAN_HOOK_CREATE_RUNTIME].n ||
	       plan->hooks[PLAN_HOOK_CREATE_CONTAINER].n;
}

static int build(struct arena *arena, const struct brig_mount *mount, struct plan_root_mount *ret, struct error *err)
{
	struct spec_mount asked = { .type = mount->type, .source = mount->source, .options = mount->options };

	while (mount->options && mount->options[asked.n_options])
		asked.n_options++;
	return plan_root_mount_build(arena, &asked, ret, err);
}

/* As the plan's rootfs.idmap has it, layer by layer: an overlay itself can't be mapped. All else is, once the user namespace is there. */
static void map_layers(struct creation *creation, struct plan_root_mount *root)
{
	const struct plan_namespaces *namespaces = &creation->plan->namespaces;

	if (!creation->plan->rootfs.idmap || !root->is_overlay)
		return;
	creation->root_is_mapped = true;
	if (root->mount.idmap)
		return;
	root->mount.idmap = root->maps_upper = true;
	root->mount.uids = namespaces->uids;
	root->mount.gids = namespaces->gids;
}

int creation_root_look(const struct brig_supervisor *supervisor, struct host_source *ret, struct error *err)
{
	AUTO(arena_free) struct arena *arena = NULL;
	struct plan_root_mount root;
	struct error ignored;

	if (supervisor->n_mounts != 1)
		return 0;
	arena = arena_new(MEMORY_MAX);
	if (!arena)
		return error_memory(err);
	if (build(arena, &supervisor->mounts[0], &root, &ignored) >= 0)
		*ret = (struct host_source){
			.known = true,
			.mode = S_IFDIR,
			.mappable = host_idmap_root_supported(&root, host_idmap_kernel(), statfs),
		};
	return 0;
}

/* Where the mount is seen by others it is on record first: rootfs_mark.h. */
static int mark(const struct creation *creation, struct error *err)
{
	const char *path = creation->plan->rootfs.path;
	int rc = root_mount_check_place(path, err);

	return rc < 0 ? rc : rootfs_mark_set(&creation->container, path, err);
}

static int make(struct creation *creation, const struct plan_root_mount *root, struct error *err)
{
	const char *path = creation->plan->rootfs.path;
	AUTO_CLOSE int fd = root_mount_make(root, err);
	int rc;

	if (fd < 0 && (fd != -ENOSYS || !root->is_overlay))
		return fd;
	if (fd >= 0 && !has_hooks_outside(creation->plan)) {
		creation->root_mount_fd = steal_fd(&fd);
		return 0;
	}
	rc = mark(creation, err);
	if (rc < 0)
		return rc;
	return fd < 0 ? root_mount_attach_old(root, path, err) : root_mount_attach(fd, path, err);
}

int creation_root_make(struct creation *creation, struct error *err)
{
	const struct brig_supervisor *supervisor = creation->request->supervisor;
	AUTO(arena_free) struct arena *arena = NULL;
	struct plan_root_mount root;
	int rc;

	if (!supervisor || supervisor->n_mounts == 0)
		return 0;
	if (supervisor->n_mounts > 1)
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "the root file system is to be made of %zu mounts, one is supported; hand it over mounted at "
				 "root.path",
				 supervisor->n_mounts);
	if (!(creation->plan->namespaces.create & CLONE_NEWNS))
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"the root file system is to be mounted, but the container has no mount namespace of its own; hand "
			"it over mounted at root.path");
	arena = arena_new(MEMORY_MAX);
	if (!arena)
		return error_memory(err);
	rc = build(arena, &supervisor->mounts[0], &root, err);
	if (rc < 0)
		return rc;
	map_layers(creation, &root);
	return make(creation, &root, err);
}
