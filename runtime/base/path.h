/* Paths as text, and objects opened beneath a root that can't be left. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* The path made absolute against "/" with "//", "." and ".." folded as text: "/a/../b/" -> "/b". NULL: no memory. */
char *path_normalise(struct arena *arena, const char *path);
/* Is path the same as prefix, or below it? Both normalised. */
bool path_is_below(const char *path, const char *prefix);
/* A setting's name made its path below /proc/sys, in place. As with sysctl(8) the first separator says what separates; the other one is
 * then part of a name: "net.ipv4.conf.eth0/100.forwarding" -> "net/ipv4/conf/eth0.100/forwarding". */
void path_of_sysctl(char *name);

/* Opens path as if root_fd were "/" (openat2(2) RESOLVE_IN_ROOT, no magic links): symbolic links inside the root can't lead
 * out of it. flags as open(2); O_CLOEXEC is added. A descriptor or a negative errno. */
int path_open_in_root(int root_fd, const char *path, int flags);
/* As above with O_PATH; what is missing is made: directories with directory_mode on the way, and at the end a directory or,
 * where is_file, an empty regular file (0644); an existing object of another kind is left as it is. Made objects belong
 * to the caller. A dangling symbolic link is followed inside the root, at most 16 of them, and its target is made: images have
 * /etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf, and engines mount over that.
 * A descriptor or a negative errno: ELOOP (links in a circle, or too many), EINVAL (".." below what does not exist yet; nothing
 * is made). */
int path_make_in_root(int root_fd, const char *path, bool is_file, mode_t directory_mode);
