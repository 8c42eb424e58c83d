/* Where a pod's shim listens: a name that `start`, `delete` and every later container of the pod find by themselves. Pure. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

#define ADDRESS_DIRECTORY "/run/containerd/s"
#define ADDRESS_PATH_MAX 106u /* bytes: what containerd allows of sun_path */
#define ADDRESS_SCHEME "unix://"
#define ADDRESS_CONFIG_MAX ((size_t)16 * 1024 * 1024)

struct address_parts {
	const char *directory;	/* absolute; ADDRESS_DIRECTORY, or socket_dir of the bootstrap */
	const char *containerd; /* the -address flag */
	const char *namespace;
	const char *group; /* as of address_group */
};

/* unix://DIRECTORY/HEX, with the SHA-256 of CONTAINERD/NAMESPACE/GROUP, in arena. Returns 0, or a negative errno with err set
 * where directory is not absolute or too long for a socket. Source: shim contract, "Files and sockets". */
int address_format(const struct address_parts *parts, struct arena *arena, const char **ret, struct error *err);
struct address_config {
	const char *json; /* not terminated */
	size_t length;
};

/* The group that a container belongs to, from the annotations of its config.json: one shim serves a group. id, of the
 * container, where it names none. A group is a name as -id is: with a '/' in it, it could reach another namespace's shim.
 * Returns 0, or a negative errno with err set. */
int address_group(struct address_config config, const char *id, struct arena *arena, const char **ret, struct error *err);
