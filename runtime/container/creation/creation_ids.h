/* The range of ids that the floor gives to a container: a new one, or that of the pod whose namespaces it joins. Internal to creation. */
#pragma once

#include "base/error.h"
#include "container/brig.h"
#include "container/store.h"
#include "plan/plan_build.h"

struct creation_ids {
	struct host_ids ids; /* for the plan, which copies what ids.join points to */
	int userns_fd;	     /* of the pod's user namespace, which ids.join names; or -EBADF */
	char join[32];
};

/* Where the floor wants a user namespace (planned: id and facts are there): grants ids, in the name of the container's state directory.
 * takes: that is there. False: for `brig plan`, takes nothing, and shows what would be tried first. ret: for creation_ids_done(). */
int creation_ids_grant(const struct brig *brig, const struct plan_request *planned, bool takes,
		       struct creation_ids *ret, struct error *err);
void creation_ids_done(struct creation_ids *ids);
/* What a container that is there was given, for the plan of an exec or of its hooks. */
void creation_ids_recall(const struct state *state, struct plan_request *planned);
/* Gives back what the container has, by its state; where that was not saved, all that it may have. */
int creation_ids_release(const struct brig *brig, const struct state *state, struct error *err);
