/* Deciding: spec, policy and host facts become a plan and a report. Pure: no system call, no I/O, deterministic. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/plan.h"
#include "policy/policy.h"
#include "spec/spec.h"

struct plan_request {
	const struct spec *spec;
	const struct policy *policy; /* NULL: the built-in one */
	const struct host *host;
	const char *id;
	const char *bundle; /* absolute */
	bool no_pivot, no_new_keyring;
	unsigned preserve_fds; /* --preserve-fds */
	unsigned listen_fds; /* LISTEN_FDS of our own environment, 0: none; kept too, and told to the program (sd_listen_fds(3)) */
	enum plan_cgroup_manager cgroup_manager;
	const char *no_cgroup_why; /* in place of what the plan would say of PLAN_CGROUP_DISABLED, or NULL */
	/* More mounts, where the spec has none, or but a new tmpfs, at the same destination. */
	const struct spec_mount *shared_mounts;
	size_t n_shared_mounts;
	/* For the floor. sources: one for each of the spec's mounts, in their order; NULL: nothing is known. */
	const struct host_source *sources;
	const char *state_root; /* brig's own, without symbolic links; or NULL */
	struct host_source root_source;
	bool root_is_at_path; /* and not brought by a supervisor: what is not known of root_source could not be seen */
	struct host_ids ids;
	bool collects; /* what the policy refuses is a line of the report, and planning goes on as if it was adjusted: for looking */
	const struct plan_landlock *landlock; /* exec: what the container has; NULL: nothing */
	/* Of a container that is there: CLONE_NEW* of the namespaces that the floor added when it was made. */
	uint64_t added_namespaces;
	bool decided;		    /* the container was made: each rule is off, whatever policy and annotations say */
	struct host_limits parents; /* of the cgroups above the container's */
	unsigned holds;		    /* PLAN_HOLDS_*: which limits whoever asked will hold */
};

/* Does the floor want a user namespace for it, which takes a range of ids to be granted in request->ids? policy, spec, host and the
 * sources count. Fails as planning would over the annotations. */
int plan_userns_is_wanted(const struct plan_request *request, bool *ret, struct error *err);
/* Does an annotation take TCP away? host->landlock has to be known then, whatever the policy's rule landlock says. */
bool plan_tcp_is_asked(const struct spec *spec);
/* The plan of a new container. *ret owns copies of all that it needs: the spec may be freed. report: zeroed by the caller;
 * its memory belongs to the plan, and on failure it is empty again. Returns 0, or a negative errno with err set and *ret
 * untouched: ERROR_INVALID (config.json contradicts itself), ERROR_UNSUPPORTED (valid, but not on this host or in this
 * version), ERROR_REFUSED (it would break out of the container, or the policy
 * says no). Messages begin with the path in config.json.
 * Source: OCI runtime-spec 1.3 config.md, config-linux.md. */
int plan_build(const struct plan_request *request, struct plan **ret, struct report *report, struct error *err);
/* The plan of one more process in a container that runs: request->spec is the container's own config.json, process the new
 * process. Namespaces, mounts, hooks and limits are those that exist: the plan has none of them, but for the id maps and
 * deny_setgroups, which still tell what ids are valid, and the cgroup's path. */
int plan_build_exec(const struct plan_request *request, const struct spec_process *process, struct plan **ret,
		    struct report *report, struct error *err);
/* New limits for a container that runs: request->spec is its own config.json, resources what is asked for. The plan's
 * cgroup.resources are all that it has. */
int plan_build_update(const struct plan_request *request, const struct spec_resources *resources, struct plan **ret,
		      struct report *report, struct error *err);
