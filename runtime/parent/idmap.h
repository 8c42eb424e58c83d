/* Maps of a user namespace: written for a process, or held by a namespace of their own for id-mapped mounts. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/plan.h"

/* A map as /proc/PID/uid_map takes it: at most 340 lines of three numbers. */
#define IDMAP_RANGES_MAX 340
#define IDMAP_TEXT_MAX (IDMAP_RANGES_MAX * 33 + 1)

/* Formats at most IDMAP_RANGES_MAX ranges into text of IDMAP_TEXT_MAX bytes. */
void idmap_format(const struct plan_id_map *map, char *text);
/* Writes both maps of pid, which was just cloned into a new user namespace. An ordinary user's maps beyond the own id go through
 * newuidmap(1) and newgidmap(1). deny_setgroups: write "deny" first (user_namespaces(7)). */
int idmap_write(pid_t pid, const struct plan_namespaces *namespaces, struct error *err);
/* A user namespace that somebody else made: -EPERM, with err set, where it maps an id of ours that is less than least. Errors are those of
 * setns(2), fork(2) and read(2) as well. */
int idmap_check_least(int userns_fd, uint32_t least, struct error *err);
/* The user namespace that pid is in. A descriptor or a negative errno. */
int idmap_open_namespace_of(pid_t pid, struct error *err);
/* A user namespace that nobody is in, with these maps: for mount_setattr(2) MOUNT_ATTR_IDMAP. A descriptor or a negative errno. */
int idmap_open_namespace(const struct plan_id_map *uids, const struct plan_id_map *gids, struct error *err);
