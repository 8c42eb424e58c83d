/* Whose places on the host are: what no container may have, and what is a container's own within that. Not for others. */
#pragma once

#include "plan/plan_builder.h"

#define PLAN_PLACES_IDS 3

/* Who asks. */
struct plan_places {
	const char *bundle;		  /* without symbolic links; NULL: it contains places of the host */
	const char *state_root;		  /* brig's own, or NULL */
	const char *pod;		  /* the kubelet's UID of the pod, or NULL */
	const char *ids[PLAN_PLACES_IDS]; /* of the container and its sandbox, as the engine names them */
	size_t n_ids;
	bool writable;	 /* what is mounted is */
	bool shares_ipc; /* the ipc namespace is another container's, whose shm it may have then */
};

/* By the annotations of the engines (containerd's CRI, CRI-O, podman). A pod whose UID is claimed in two ways that disagree has
 * none. */
struct plan_places plan_places_of(const struct plan_request *request);

/* path: absolute, normalised, without symbolic links. Of what is forbidden, an ancestor, the place itself, or below it. "It
 * contains /etc", NULL: nothing is against it. *ret: in the builder's arena, or a literal. Returns 0 or
 * -ENOMEM with err set. */
int plan_places_judge(const struct plan_builder *builder, const struct plan_places *places, const char *path,
		      const char **ret, struct error *err);
/* The same for a container's root file system, which may lie in an engine's storage. */
int plan_places_judge_root(const struct plan_builder *builder, const struct plan_places *places, const char *path,
			   const char **ret, struct error *err);
/* Does path lie in a directory in which the kubelet itself binds a volume's parts? Then what it is an alias of is no business of
 * ours where that is a staged volume. */
bool plan_places_is_kubelet_volume(const struct plan_places *places, const char *path);
/* A volume as the kubelet's plugins have staged it, for its pods. */
bool plan_places_is_staged_volume(const char *path);
