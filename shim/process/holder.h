/* A process that does nothing but keep the namespaces of a pod which has no container to do so: what a pause container is for,
 * without one. It has no privileges, no descriptor but one, and may read, write and end alone (seccomp's strict mode); it ends with
 * the shim. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "shim/loop/loop.h"

struct holder;

struct holder_sysctl {
	const char *name, *value; /* "net.ipv4.ip_forward" */
};

/* Everything is used during holder_start only. */
struct holder_options {
	struct loop *loop;
	unsigned namespaces; /* new ones: CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWPID (it is process 1 there then) */
	const char *network_path; /* of the network namespace to be in, or NULL; not with CLONE_NEWNET */
	bool with_network_owner; /* in the user namespace that network_path's belongs to; the new ones belong to it too */
	const char *hostname;	 /* NULL or "": as it is; with CLONE_NEWUTS */
	const struct holder_sysctl *sysctls; /* of its namespaces: holder_check_sysctl */
	size_t n_sysctls;
	/* It is gone, though nobody asked for that. */
	void (*ended)(void *context);
	void *context;
};

/* Does the name belong to one of these namespaces (CLONE_NEW*)? Else -EPERM with err set: it is the host's. Pure. */
int holder_check_sysctl(const char *name, unsigned namespaces, struct error *err);
/* Takes a few milliseconds, five seconds at most. Returns 0 or a negative errno with err set; nothing is left then. */
int holder_start(const struct holder_options *options, struct holder **ret, struct error *err);
/* In the shim's pid namespace; it is no other's as long as the holder is not freed. */
pid_t holder_pid(const struct holder *holder);
/* Ends the process, if it has not ended already. */
void holder_free(struct holder *holder);
DEFINE_CLEANUP(struct holder *, holder_free);
