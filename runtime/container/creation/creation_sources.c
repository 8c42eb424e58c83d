#include "container/creation/creation_sources.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "parent/host_sources.h"

/* Any annotation of ours may tighten a rule. */
#define ANNOTATION_PREFIX "brig.dev/"

static bool is_wanted(const struct plan_request *planned)
{
	static const enum policy_rule rules[] = { POLICY_MOUNT_SOURCE,	 POLICY_MOUNT_FLAGS,	 POLICY_DEVICE,
						  POLICY_USER_NAMESPACE, POLICY_VOLUME_UNMAPPED, POLICY_ROOTFS_UNMAPPED };
	const struct spec *spec = planned->spec;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (policy_level(planned->policy, rules[i]) != POLICY_OFF || policy_delegated(planned->policy, rules[i]))
			return true;
	}
	for (size_t i = 0; i < spec->n_annotations; i++) {
		if (strncmp(spec->annotations[i].name, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) == 0)
			return true;
	}
	return false;
}

/* As plan_mounts.c makes it absolute. */
static int absolute(const char *bundle, const char *path, struct arena *arena, const char **ret, struct error *err)
{
	*ret = path[0] == '/' ? path : arena_printf(arena, "%s/%s", bundle, path);
	return *ret ? 0 : error_memory(err);
}

static int request_of_mount(const struct plan_request *planned, const struct spec_mount *mount, struct arena *arena,
			    struct host_source_request *ret, struct error *err)
{
	bool is_bind = mount->type && strcmp(mount->type, "bind") == 0;

	for (size_t i = 0; i < mount->n_options; i++) {
		ret->recursive |= strcmp(mount->options[i], "rbind") == 0;
		is_bind |= ret->recursive || strcmp(mount->options[i], "bind") == 0;
	}
	return is_bind && mount->source ? absolute(planned->bundle, mount->source, arena, &ret->path, err) : 0;
}

static const char *real_root(const struct brig *brig, struct arena *arena)
{
	char path[PATH_MAX];

	return realpath(brig->root, path) ? arena_strdup(arena, path) : brig->root;
}

int creation_sources_look(const struct brig *brig, const struct brig_supervisor *supervisor, struct arena *arena,
			  struct plan_request *planned, struct error *err)
{
	const struct spec *spec = planned->spec;
	size_t n = spec->n_mounts;
	struct host_source_request *requests;
	struct host_source *sources;
	int rc = 0;

	if (!is_wanted(planned))
		return 0;
	requests = arena_array_of(arena, n + 1, struct host_source_request);
	sources = arena_array_of(arena, n + 1, struct host_source);
	planned->state_root = real_root(brig, arena);
	if (!requests || !sources || !planned->state_root)
		return error_memory(err);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = request_of_mount(planned, &spec->mounts[i], arena, &requests[i], err);
	/* Where a supervisor brings the root file system, nothing of it is at its path yet. */
	if (rc >= 0 && !(supervisor && supervisor->n_mounts)) {
		requests[n].recursive = true;
		planned->root_is_at_path = true;
		rc = absolute(planned->bundle, spec->root.path, arena, &requests[n].path, err);
	}
	if (rc >= 0)
		rc = host_sources_look(requests, n + 1, arena, sources, err);
	if (rc < 0)
		return rc;
	planned->sources = sources;
	planned->root_source = sources[n];
	return 0;
}
